// One owner of a store: an exclusive lock on DIR/lock, held until the object dies or its process
// does, however it does.
//
// The kernel's lock belongs to the process, so it cannot tell two owners inside one process apart;
// LmdbEnvironment's I1 does. No other descriptor of DIR/lock may be closed while the lock is held:
// that would drop it.
//
// I1  What is locked is the file that DIR/lock names: one removed between its opening and its
//     locking (by the sweep of creation.h I3) guards nothing and is refused.
//
// Errors: kStoreInUse (names the holder's process id where the kernel knows it), kNotFound (I1),
// kIoFailed.
#pragma once

#include <filesystem>

#include <boost/interprocess/sync/file_lock.hpp>

#include "base/result.h"

namespace revenant::store {

class OwnerLock {
 public:
  OwnerLock() = default;

  // Takes the lock of the store in `directory`, making its file if need be. `name` is what messages
  // call the store.
  static base::Result<OwnerLock> take(const std::filesystem::path& directory,
                                      const std::filesystem::path& name);

 private:
  explicit OwnerLock(boost::interprocess::file_lock lock) : lock_(std::move(lock)) {}

  boost::interprocess::file_lock lock_;
};

}  // namespace revenant::store
