// Keeps an owner known to the other users of its lock.mdb, whatever it does with that file.
//
// LMDB tells by record locks on lock.mdb who is there: byte 0 is shared by all who have the
// environment open, byte PID is held by a process that reads. Such a lock is gone as soon as its
// process closes any descriptor of the file, as a program does that copies its own store. Whoever
// opens the store next would begin the table of readers anew, or take the owner's for dead, and the
// pages that they read would be written over. Locks of an open file description stay:
//
//   byte 0     shared, beside LMDB's
//   byte PID   exclusive, in the place of LMDB's: the two would exclude each other
//
// I1  Taken after LMDB's own, which an environment takes once, and given back before it closes.
// I2  Between LMDB's lock on byte PID and this one no reader is at work.
//
// Threads: the one that opens and closes the environment. Errors: kIoFailed, kNotFound.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"
#include "store/files.h"

namespace revenant::store {

class LmdbPresence {
 public:
  LmdbPresence() = default;

  static base::Result<LmdbPresence> take(const std::filesystem::path& store);

 private:
  explicit LmdbPresence(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace revenant::store
