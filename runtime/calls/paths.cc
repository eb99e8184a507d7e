// Calls of green threads that name files: paths and what comes back are bounced.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>

#include "runtime/calls/argument_bounce.h"
#include "runtime/calls/blocking.h"
#include "runtime/calls/offloaded_call.h"
#include "runtime/calls/open_mode.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// A FIFO's open waits for its other end: that is made elsewhere.
bool open_may_wait(int directory, const char* path, int flags) {
  if ((flags & (O_NONBLOCK | O_PATH)) != 0 || (flags & O_ACCMODE) == O_RDWR) return false;
  struct stat status {};
  return with_result(&status,
                     [&](struct stat* seen) { return __real_fstatat(directory, path, seen, 0); }) ==
             0 &&
         S_ISFIFO(status.st_mode);
}

int open_elsewhere(int directory, const char* path, int flags) {
  const std::size_t size = __builtin_strlen(path) + 1;
  for (;;) {
    OffloadedCall call(size);
    if (call.data() != nullptr) __builtin_memcpy(call.data(), path, size);
    if (call.make(SYS_openat, directory, call.data(), flags, 0)) {
      return static_cast<int>(call.result());
    }
    if (!check_directory(directory)) return kRefused;
  }
}

int green_openat(int directory, const char* path, int flags, mode_t mode) {
  if (!check_directory(directory)) return kRefused;
  const int opened = [&] {
    {
      const Bounce bounced = Bounce::text(path);
      if (!bounced.ok()) return kRefused;
      if (!open_may_wait(directory, bounced.as<const char>(), flags)) {
        return __real_openat(directory, bounced.as<const char>(), flags, mode);
      }
    }
    return open_elsewhere(directory, path, flags);
  }();
  return DescriptorTable::instance().adopt(opened);
}

int open_for_caller(int directory, const char* path, int flags, mode_t mode) {
  if (green_caller() != nullptr) return green_openat(directory, path, flags, mode);
  return DescriptorTable::instance().make_own(
      [&] { return __real_openat(directory, path, flags, mode); });
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_for_caller(AT_FDCWD, path, flags, mode);
}

int __wrap_open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_for_caller(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int __wrap_openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_for_caller(directory, path, flags, mode);
}

int __wrap_openat64(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_for_caller(directory, path, flags | O_LARGEFILE, mode);
}

int __wrap_creat(const char* path, mode_t mode) {
  return open_for_caller(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int __wrap_stat(const char* path, struct stat* result) {
  return with_path(path, [&](const char* p) {
    return with_result(result, [&](struct stat* r) { return __real_stat(p, r); });
  });
}

int __wrap_lstat(const char* path, struct stat* result) {
  return with_path(path, [&](const char* p) {
    return with_result(result, [&](struct stat* r) { return __real_lstat(p, r); });
  });
}

int __wrap_fstat(int descriptor, struct stat* result) {
  if (green_caller() != nullptr && !check_descriptor(descriptor)) return kRefused;
  return with_result(result, [&](struct stat* r) { return __real_fstat(descriptor, r); });
}

// On this architecture the two structures are one.
int __wrap_stat64(const char* path, struct stat* result) { return __wrap_stat(path, result); }
int __wrap_lstat64(const char* path, struct stat* result) { return __wrap_lstat(path, result); }
int __wrap_fstat64(int descriptor, struct stat* result) { return __wrap_fstat(descriptor, result); }

int __wrap_statvfs(const char* path, struct statvfs* result) {
  return with_path(path, [&](const char* p) {
    return with_result(result, [&](struct statvfs* r) { return __real_statvfs(p, r); });
  });
}

int __wrap_access(const char* path, int mode) {
  return with_path(path, [&](const char* p) { return __real_access(p, mode); });
}

int __wrap_mkdir(const char* path, mode_t mode) {
  return with_path(path, [&](const char* p) { return __real_mkdir(p, mode); });
}

int __wrap_rmdir(const char* path) {
  return with_path(path, [](const char* p) { return __real_rmdir(p); });
}

int __wrap_unlink(const char* path) {
  return with_path(path, [](const char* p) { return __real_unlink(p); });
}

int __wrap_remove(const char* path) {
  return with_path(path, [](const char* p) { return __real_remove(p); });
}

int __wrap_rename(const char* from, const char* to) {
  return with_paths(from, to, [](const char* a, const char* b) { return __real_rename(a, b); });
}

int __wrap_link(const char* from, const char* to) {
  return with_paths(from, to, [](const char* a, const char* b) { return __real_link(a, b); });
}

int __wrap_symlink(const char* from, const char* to) {
  return with_paths(from, to, [](const char* a, const char* b) { return __real_symlink(a, b); });
}

int __wrap_chdir(const char* path) {
  return with_path(path, [](const char* p) { return __real_chdir(p); });
}

int __wrap_chmod(const char* path, mode_t mode) {
  return with_path(path, [&](const char* p) { return __real_chmod(p, mode); });
}

int __wrap_chown(const char* path, uid_t owner, gid_t group) {
  return with_path(path, [&](const char* p) { return __real_chown(p, owner, group); });
}

int __wrap_lchown(const char* path, uid_t owner, gid_t group) {
  return with_path(path, [&](const char* p) { return __real_lchown(p, owner, group); });
}

int __wrap_mkfifo(const char* path, mode_t mode) {
  return with_path(path, [&](const char* p) { return __real_mkfifo(p, mode); });
}

int __wrap_truncate(const char* path, off_t size) {
  return with_path(path, [&](const char* p) { return __real_truncate(p, size); });
}

ssize_t __wrap_readlink(const char* path, char* target, std::size_t size) {
  return with_path(path, [&](const char* p) {
    const Bounce bounced = Bounce::out(target, size);
    const ssize_t got = bounced.ok() ? __real_readlink(p, bounced.as<char>(), size) : kRefused;
    if (got > 0) bounced.deliver(static_cast<std::size_t>(got));
    return got;
  });
}

char* __wrap_getcwd(char* target, std::size_t size) {
  if (green_caller() == nullptr || target == nullptr) return __real_getcwd(target, size);
  const Bounce bounced = Bounce::out(target, size);
  if (!bounced.ok() || __real_getcwd(bounced.as<char>(), size) == nullptr) return nullptr;
  bounced.deliver(__builtin_strlen(bounced.as<char>()) + 1);
  return target;
}

}  // extern "C"
