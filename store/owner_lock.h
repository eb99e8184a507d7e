// One owner of a store: an exclusive lock on DIR/lock, held until the object dies or its process
// does, however it does.
//
//   Boost's file_lock   of the process: says who holds it, and is gone as soon as the process
//                       closes any descriptor of DIR/lock, as a program does that copies its own
//                       store
//   flock               of the one descriptor kept here: stays
//
// I1  What is locked is the file that DIR/lock names: one removed between its opening and its
//     locking (by the sweep of creation.h I3) guards nothing and is refused.
// I2  Whoever has no flock is no owner: it is taken first and given back last.
// I3  A file system that gives one lock to two is refused: before Boost's lock, which the closing
//     would drop, a second opening of the file is tried against the first.
//
// A child of fork shares the descriptor, and with it the lock, until it ends or executes a program.
// That the process itself opens its store a second time LmdbEnvironment's I1 refuses first.
//
// Errors: kStoreInUse (names the holder's process id while Boost's lock lasts), kNotFound (I1),
// kUnsupportedHost (I3, or no locks at all), kIoFailed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <utility>

#include <boost/interprocess/sync/file_lock.hpp>

#include "base/result.h"
#include "store/files.h"

namespace revenant::store {

class OwnerLock {
 public:
  OwnerLock() = default;

  // Takes the lock of the store in `directory`, making its file if need be. `name` is what messages
  // call the store.
  static base::Result<OwnerLock> take(const std::filesystem::path& directory,
                                      const std::filesystem::path& name);

 private:
  OwnerLock(FileDescriptor file, boost::interprocess::file_lock lock)
      : file_(std::move(file)), lock_(std::move(lock)) {}

  FileDescriptor file_;  // with the flock
  boost::interprocess::file_lock lock_;
};

// Who owns a store, as far as it can be told from here.
struct Ownership {
  bool owned = false;
  pid_t process = 0;  // 0: not one that this process could name
};

// Looks for the owner of the store in `directory` and disturbs nobody: nothing is locked, not even
// for a moment, so that no program is refused for it.
base::Result<Ownership> find_owner(const std::filesystem::path& directory);

// Takes the owner's lock on its data.mdb, open as `file`, until that is closed: kStoreInUse where
// another owner has it, since DIR/lock was removed and made anew.
[[nodiscard]] base::Status lock_data_file(int file, const std::filesystem::path& name);

}  // namespace revenant::store
