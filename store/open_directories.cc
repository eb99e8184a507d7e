#include "store/open_directories.h"

#include <unistd.h>

#include <algorithm>

namespace revenant::store {

OpenDirectories& OpenDirectories::of_process() {
  static OpenDirectories directories;
  return directories;
}

bool OpenDirectories::contains(std::uint64_t device, std::uint64_t inode) {
  const base::LockGuard guard(mu_);
  return contains_locked(device, inode);
}

bool OpenDirectories::add(std::uint64_t device, std::uint64_t inode) {
  const base::LockGuard guard(mu_);
  if (contains_locked(device, inode)) return false;
  for (Entry& entry : entries_) {
    if (entry.owner == ::getpid()) continue;
    entry = {::getpid(), device, inode};
    return true;
  }
  return false;
}

void OpenDirectories::remove(std::uint64_t device, std::uint64_t inode) {
  const base::LockGuard guard(mu_);
  for (Entry& entry : entries_) {
    if (entry.device == device && entry.inode == inode) entry = {};
  }
}

bool OpenDirectories::contains_locked(std::uint64_t device, std::uint64_t inode) {
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    return entry.owner == ::getpid() && entry.device == device && entry.inode == inode;
  });
}

}  // namespace revenant::store
