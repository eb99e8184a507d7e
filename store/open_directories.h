// Which directories this process has an environment on: LMDB's file locks are the process's, and a
// second environment would drop them when it closes.
//
// I1  A directory is in the table once, by its file, whatever paths lead to it.
// I2  A child of fork inherits the table and none of the locks: what its parent entered is not its
//     own.
//
// Threads: any. Locks: kStore, for a walk through the table.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "base/lock.h"

namespace revenant::store {

class OpenDirectories {
 public:
  static OpenDirectories& of_process();

  bool contains(std::uint64_t device, std::uint64_t inode) REVENANT_EXCLUDES(mu_);
  // False if it is there already, or the table is full.
  [[nodiscard]] bool add(std::uint64_t device, std::uint64_t inode) REVENANT_EXCLUDES(mu_);
  void remove(std::uint64_t device, std::uint64_t inode) REVENANT_EXCLUDES(mu_);

 private:
  struct Entry {
    pid_t owner = 0;  // I2
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  bool contains_locked(std::uint64_t device, std::uint64_t inode) REVENANT_REQUIRES(mu_);

  base::Lock mu_{base::LockRank::kStore};
  std::array<Entry, 64> entries_ REVENANT_GUARDED_BY(mu_){};
};

}  // namespace revenant::store
