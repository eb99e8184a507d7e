#include "tests/support/own_mounts_linux.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

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

// Room for a file system's own records; ballast takes what is left of it.
constexpr std::uint64_t kOwnBytesOfDisk = 16 << 20;

bool make_file_system(const std::filesystem::path& image) {
  return in_child([&] {
           ::execl("/sbin/mkfs.ext4", "mkfs.ext4", "-q", "-F", "-m", "0", image.c_str(), nullptr);
           return 127;
         }) == 0;
}

// Until another one takes the device that was free a moment ago.
int attach_loop_device(int image, std::string& name) {
  constexpr int kAttempts = 100;
  const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  int device = -1;
  for (int attempt = 0; control >= 0 && device < 0 && attempt < kAttempts; ++attempt) {
    const int number = ::ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) break;
    name = "/dev/loop" + std::to_string(number);
    device = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
    if (device < 0) break;
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(image);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;  // with the last mount
    if (::ioctl(device, LOOP_CONFIGURE, &config) == 0) break;
    const bool taken = errno == EBUSY;
    ::close(std::exchange(device, -1));
    if (!taken) break;
  }
  ::close(control);
  return device;
}

// False where the host has no loop device to give.
bool mount_loop_disk(const std::filesystem::path& directory, std::uint64_t bytes) {
  if (::access("/dev/loop-control", R_OK | W_OK) != 0) return false;
  const std::filesystem::path path = directory.string() + ".image";
  const int image = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REVENANT_CHECK(image >= 0 && ::ftruncate(image, static_cast<off_t>(bytes)) == 0, "%s: %s",
                 path.c_str(), std::strerror(errno));
  REVENANT_CHECK(make_file_system(path), "mkfs.ext4 has failed; is e2fsprogs installed?");
  std::string name;
  const int device = attach_loop_device(image, name);
  ::close(image);
  if (device < 0) return std::filesystem::remove(path), false;
  mount_or_fail(name.c_str(), directory, "ext4", 0, nullptr);
  ::close(device);
  return true;
}

// Makes a file so large that `room_bytes` are left.
void take(const std::filesystem::path& directory, const char* name, std::uint64_t room_bytes) {
  const std::filesystem::path path = directory / name;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const auto room = std::filesystem::space(directory).available;
  REVENANT_CHECK(file >= 0 && room >= room_bytes, "%s: %s", path.c_str(), std::strerror(errno));
  const auto size = static_cast<off_t>(room - room_bytes);
  const int code = size == 0 ? 0 : ::posix_fallocate(file, 0, size);
  REVENANT_CHECK(code == 0, "%s: %s", path.c_str(), std::strerror(code));
  ::close(file);
}

}  // namespace

bool own_mounts_allowed() {
  return in_child([] { return try_own_mounts() ? 0 : 1; }) == 0;
}

void enter_own_mounts() {
  REVENANT_CHECK(try_own_mounts(), "no mounts of its own: %s", std::strerror(errno));
}

void mount_small_disk(const std::filesystem::path& directory, std::uint64_t room_bytes) {
  std::filesystem::create_directories(directory);
  if (!mount_loop_disk(directory, room_bytes + kOwnBytesOfDisk)) {
    const std::string size = "size=" + std::to_string(room_bytes + kOwnBytesOfDisk);
    mount_or_fail("none", directory, "tmpfs", 0, size.c_str());
  }
  take(directory, "ballast", room_bytes);
}

void take_room(const std::filesystem::path& directory, std::uint64_t room_bytes) {
  take(directory, "more-ballast", room_bytes);
}

void give_room_back(const std::filesystem::path& directory) {
  std::filesystem::remove(directory / "more-ballast");
}

void mount_memory(const std::filesystem::path& directory) {
  std::filesystem::create_directory(directory);
  mount_or_fail("tmpfs", directory, "tmpfs", 0, nullptr);
}

void mount_terminals() {
  mount_or_fail("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666,mode=0620");
}

void remount_read_only(const std::filesystem::path& directory) {
  mount_or_fail(directory.c_str(), directory, nullptr, MS_BIND, nullptr);
  mount_or_fail(nullptr, directory, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
}

}  // namespace revenant::testing
