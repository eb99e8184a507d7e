#include "tests/support/own_mounts_linux.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/check.h"
#include "tests/support/forked.h"

namespace revenant::testing {
namespace {

void mount_or_fail(const char* what, const std::filesystem::path& directory, const char* type,
                   unsigned long flags, const char* options) {
  REVENANT_CHECK(::mount(what, directory.c_str(), type, flags, options) == 0, "mounting %s: %s",
                 directory.c_str(), std::strerror(errno));
}

bool become_root_of_a_namespace() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
  std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
  return true;
}

bool try_own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0 && !become_root_of_a_namespace()) return false;
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

bool own_mounts_allowed() {
  return in_child([] { return try_own_mounts() ? 0 : 1; }) == 0;
}

void enter_own_mounts() {
  REVENANT_CHECK(try_own_mounts(), "no mounts of its own: %s", std::strerror(errno));
}

void mount_small_disk(const std::filesystem::path& directory, const std::string& size) {
  std::filesystem::create_directories(directory);
  mount_or_fail("none", directory, "tmpfs", 0, ("size=" + size).c_str());
}

void remount_read_only(const std::filesystem::path& directory) {
  mount_or_fail(directory.c_str(), directory, nullptr, MS_BIND, nullptr);
  mount_or_fail(nullptr, directory, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
}

}  // namespace revenant::testing
