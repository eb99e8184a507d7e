// libc's inner names: what stdio, directories, locales and the resolver call instead of read, open
// and their like. The list is made from libc.a (nm), by what its objects ask for and others define.
//
// They are called with libc's own locks held, a FILE's for one, which belong to the OS thread: so
// nothing here parks the green thread or reaches a safepoint. What would block blocks the worker.
//
// Anyone's persistent memory is bounced, since the process's main thread flushes at exit what green
// threads have left in stdio's buffers; descriptors are checked for green threads only. The calls
// are raw: a sanitizer's libc is shared, and keeps these names to itself.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>

#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/open_mode.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

ssize_t inner_read(int descriptor, void* data, std::size_t size) {
  const Bounce bounced = Bounce::out(data, size);
  if (!caller_may_use(descriptor) || !bounced.ok()) return kRefused;
  const long got = __real_syscall(SYS_read, descriptor, bounced.data(), size);
  if (got > 0) bounced.deliver(static_cast<std::size_t>(got));
  return got;
}

ssize_t inner_write(int descriptor, const void* data, std::size_t size) {
  const Bounce bounced = Bounce::in(data, size);
  if (!caller_may_use(descriptor) || !bounced.ok()) return kRefused;
  return __real_syscall(SYS_write, descriptor, bounced.data(), size);
}

ssize_t inner_pread(int descriptor, void* data, std::size_t size, off_t offset) {
  const Bounce bounced = Bounce::out(data, size);
  if (!caller_may_use(descriptor) || !bounced.ok()) return kRefused;
  const long got = __real_syscall(SYS_pread64, descriptor, bounced.data(), size, offset);
  if (got > 0) bounced.deliver(static_cast<std::size_t>(got));
  return got;
}

int inner_openat(int directory, const char* path, int flags, mode_t mode) {
  const Bounce bounced = Bounce::text(path);
  if (!caller_may_use_directory(directory) || !bounced.ok()) return kRefused;
  const auto opened =
      static_cast<int>(__real_syscall(SYS_openat, directory, bounced.data(), flags, mode));
  return green_caller() == nullptr ? opened : DescriptorTable::instance().adopt(opened);
}

int inner_close(int descriptor) {
  DescriptorTable& table = DescriptorTable::instance();
  if (green_caller() == nullptr) return table.close_own(descriptor);
  const bool may = check_descriptor(descriptor);
  table.forget(descriptor);
  return may ? static_cast<int>(__real_syscall(SYS_close, descriptor)) : kRefused;
}

int inner_fstatat(int directory, const char* path, struct stat* result, int flags) {
  const Bounce name = Bounce::text(path);
  const Bounce filled = Bounce::out(result, sizeof *result);
  if (!caller_may_use_directory(directory) || !name.ok() || !filled.ok()) return kRefused;
  const long outcome = __real_syscall(SYS_newfstatat, directory, name.data(), filled.data(), flags);
  if (outcome == 0) filled.deliver();
  return static_cast<int>(outcome);
}

// A call with a path and one plain argument.
int inner_path_call(long number, const char* path, long argument = 0) {
  const Bounce bounced = Bounce::text(path);
  if (!bounced.ok()) return kRefused;
  return static_cast<int>(__real_syscall(number, bounced.data(), argument));
}

template <class T>
int inner_statfs(long number, long what, T* result) {
  const Bounce filled = Bounce::out(result, sizeof *result);
  if (!filled.ok()) return kRefused;
  const long outcome = __real_syscall(number, what, filled.data());
  if (outcome == 0) filled.deliver();
  return static_cast<int>(outcome);
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

// The variadic opens differ in name only.
#define REVENANT_INNER_OPEN(name)                       \
  int __wrap_##name(const char* path, int flags, ...) { \
    va_list arguments;                                  \
    va_start(arguments, flags);                         \
    const mode_t mode = mode_of(flags, arguments);      \
    va_end(arguments);                                  \
    return inner_openat(AT_FDCWD, path, flags, mode);   \
  }
#define REVENANT_INNER_OPENAT(name)                                    \
  int __wrap_##name(int directory, const char* path, int flags, ...) { \
    va_list arguments;                                                 \
    va_start(arguments, flags);                                        \
    const mode_t mode = mode_of(flags, arguments);                     \
    va_end(arguments);                                                 \
    return inner_openat(directory, path, flags, mode);                 \
  }

extern "C" {

REVENANT_INNER_OPEN(__open)
REVENANT_INNER_OPEN(__open64)
REVENANT_INNER_OPEN(__open_nocancel)
REVENANT_INNER_OPEN(__open64_nocancel)
REVENANT_INNER_OPENAT(__openat)
REVENANT_INNER_OPENAT(__openat64)
REVENANT_INNER_OPENAT(__openat_nocancel)
REVENANT_INNER_OPENAT(__openat64_nocancel)

ssize_t __wrap___read(int descriptor, void* data, std::size_t size) {
  return inner_read(descriptor, data, size);
}
ssize_t __wrap___read_nocancel(int descriptor, void* data, std::size_t size) {
  return inner_read(descriptor, data, size);
}
ssize_t __wrap___write(int descriptor, const void* data, std::size_t size) {
  return inner_write(descriptor, data, size);
}
ssize_t __wrap___write_nocancel(int descriptor, const void* data, std::size_t size) {
  return inner_write(descriptor, data, size);
}
ssize_t __wrap___libc_write(int descriptor, const void* data, std::size_t size) {
  return inner_write(descriptor, data, size);
}
ssize_t __wrap___pread64_nocancel(int descriptor, void* data, std::size_t size, off_t offset) {
  return inner_pread(descriptor, data, size, offset);
}

int __wrap___close(int descriptor) { return inner_close(descriptor); }
int __wrap___close_nocancel(int descriptor) { return inner_close(descriptor); }

off_t __wrap___lseek(int descriptor, off_t offset, int whence) {
  return caller_may_use(descriptor) ? __real_syscall(SYS_lseek, descriptor, offset, whence)
                                    : kRefused;
}
off_t __wrap___lseek64(int descriptor, off_t offset, int whence) {
  return __wrap___lseek(descriptor, offset, whence);
}

int __wrap___fstat64(int descriptor, struct stat* result) {
  return inner_fstatat(descriptor, "", result, AT_EMPTY_PATH);
}
int __wrap___stat64(const char* path, struct stat* result) {
  return inner_fstatat(AT_FDCWD, path, result, 0);
}
int __wrap___stat(const char* path, struct stat* result) {
  return inner_fstatat(AT_FDCWD, path, result, 0);
}
int __wrap___lstat64(const char* path, struct stat* result) {
  return inner_fstatat(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int __wrap___lstat(const char* path, struct stat* result) {
  return inner_fstatat(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int __wrap___fstatat64(int directory, const char* path, struct stat* result, int flags) {
  return inner_fstatat(directory, path, result, flags);
}
int __wrap___fstatat(int directory, const char* path, struct stat* result, int flags) {
  return inner_fstatat(directory, path, result, flags);
}

int __wrap___statfs64(const char* path, struct statfs* result) {
  const Bounce name = Bounce::text(path);
  return name.ok() ? inner_statfs(SYS_statfs, reinterpret_cast<long>(name.data()), result)
                   : kRefused;
}
int __wrap___fstatfs64(int descriptor, struct statfs* result) {
  return caller_may_use(descriptor) ? inner_statfs(SYS_fstatfs, descriptor, result) : kRefused;
}
int __wrap___uname(utsname* result) {
  const Bounce filled = Bounce::out(result, sizeof *result);
  const int outcome =
      filled.ok() ? static_cast<int>(__real_syscall(SYS_uname, filled.data())) : kRefused;
  if (outcome == 0) filled.deliver();
  return outcome;
}

ssize_t __wrap___getdents64(int descriptor, void* entries, std::size_t size) {
  const Bounce filled = Bounce::out(entries, size);
  if (!caller_may_use(descriptor) || !filled.ok()) return kRefused;
  const long got = __real_syscall(SYS_getdents64, descriptor, filled.data(), size);
  if (got > 0) filled.deliver(static_cast<std::size_t>(got));
  return got;
}

ssize_t __wrap___readlink(const char* path, char* target, std::size_t size) {
  const Bounce name = Bounce::text(path);
  const Bounce filled = Bounce::out(target, size);
  if (!name.ok() || !filled.ok()) return kRefused;
  const long got = __real_syscall(SYS_readlink, name.data(), filled.data(), size);
  if (got > 0) filled.deliver(static_cast<std::size_t>(got));
  return got;
}

int __wrap___access(const char* path, int mode) { return inner_path_call(SYS_access, path, mode); }
int __wrap___mkdir(const char* path, mode_t mode) { return inner_path_call(SYS_mkdir, path, mode); }
int __wrap___unlink(const char* path) { return inner_path_call(SYS_unlink, path); }
int __wrap___rmdir(const char* path) { return inner_path_call(SYS_rmdir, path); }
int __wrap___chdir(const char* path) { return inner_path_call(SYS_chdir, path); }

// stdio and directories ask for flags only; lckpwdf and posix_fallocate, which pass structures, do
// so from their own frames.
int __wrap___fcntl64_nocancel(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (!caller_may_use(descriptor)) return kRefused;
  return static_cast<int>(__real_syscall(SYS_fcntl, descriptor, command, argument));
}
int __wrap___fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return __wrap___fcntl64_nocancel(descriptor, command, argument);
}

int __wrap___isatty(int descriptor) {
  if (!caller_may_use(descriptor)) return 0;
  static char settings[256];  // not on a stack whose pages may be missing; not looked at
  return __real_syscall(SYS_ioctl, descriptor, TCGETS, settings) == 0 ? 1 : 0;
}

}  // extern "C"
