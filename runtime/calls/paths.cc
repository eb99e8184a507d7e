// Calls of green threads that name files: paths and what comes back are bounced.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>

#include "runtime/calls/blocking.h"
#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/offloaded_call.h"
#include "runtime/calls/open_mode.h"
#include "runtime/descriptor_table.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// `call` gets a path that the kernel can read.
template <class Call>
auto with_path(const char* path, Call call) -> decltype(call(path)) {
  if (green_caller() == nullptr) return call(path);
  const Bounce bounced = Bounce::text(path);
  return bounced.ok() ? call(bounced.as<const char>()) : kRefused;
}

template <class Call>
auto with_path_at(int directory, const char* path, Call call) -> decltype(call(path)) {
  if (green_caller() != nullptr && !check_directory(directory)) return kRefused;
  return with_path(path, call);
}

template <class Call>
int with_paths(const char* first, const char* second, Call call) {
  if (green_caller() == nullptr) return call(first, second);
  const Bounce one = Bounce::text(first);
  const Bounce two = Bounce::text(second);
  return one.ok() && two.ok() ? call(one.as<const char>(), two.as<const char>()) : kRefused;
}

// `call` also gets a place that the kernel can write to.
template <class T, class Call>
int with_result(T* result, Call call) {
  if (green_caller() == nullptr) return call(result);
  const Bounce bounced = Bounce::out(result, sizeof *result);
  if (!bounced.ok()) return kRefused;
  const int outcome = call(bounced.as<T>());
  if (outcome == 0) bounced.deliver();
  return outcome;
}

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
  return DescriptorTable::instance().move_up(__real_openat(directory, path, flags, mode));
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

int __wrap_fstatat(int directory, const char* path, struct stat* result, int flags) {
  return with_path_at(directory, path, [&](const char* p) {
    return with_result(result,
                       [&](struct stat* r) { return __real_fstatat(directory, p, r, flags); });
  });
}

// On this architecture the two structures are one.
int __wrap_stat64(const char* path, struct stat* result) { return __wrap_stat(path, result); }
int __wrap_lstat64(const char* path, struct stat* result) { return __wrap_lstat(path, result); }
int __wrap_fstat64(int descriptor, struct stat* result) { return __wrap_fstat(descriptor, result); }
int __wrap_fstatat64(int directory, const char* path, struct stat* result, int flags) {
  return __wrap_fstatat(directory, path, result, flags);
}

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

int __wrap_unlinkat(int directory, const char* path, int flags) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_unlinkat(directory, p, flags); });
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

int __wrap_fchmodat(int directory, const char* path, mode_t mode, int flags) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_fchmodat(directory, p, mode, flags); });
}

int __wrap_truncate(const char* path, off_t size) {
  return with_path(path, [&](const char* p) { return __real_truncate(p, size); });
}

int __wrap_utimensat(int directory, const char* path, const timespec times[2], int flags) {
  return with_path_at(directory, path, [&](const char* p) {
    if (green_caller() == nullptr) return __real_utimensat(directory, p, times, flags);
    const Bounce bounced = Bounce::in(times, times == nullptr ? 0 : 2 * sizeof *times);
    return bounced.ok() ? __real_utimensat(directory, p, bounced.as<timespec>(), flags) : kRefused;
  });
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
