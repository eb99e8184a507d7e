// Calls of green threads that name files from a directory's descriptor.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/calls/argument_bounce.h"
#include "runtime/host/real_calls_linux.h"

using namespace revenant::runtime;

extern "C" {

int __wrap_fstatat(int directory, const char* path, struct stat* result, int flags) {
  return with_path_at(directory, path, [&](const char* p) {
    return with_result(result,
                       [&](struct stat* r) { return __real_fstatat(directory, p, r, flags); });
  });
}
// On this architecture the two structures are one.
int __wrap_fstatat64(int directory, const char* path, struct stat* result, int flags) {
  return __wrap_fstatat(directory, path, result, flags);
}

int __wrap_statx(int directory, const char* path, int flags, unsigned mask, struct statx* result) {
  return with_path_at(directory, path, [&](const char* p) {
    return with_result(result,
                       [&](struct statx* r) { return __real_statx(directory, p, flags, mask, r); });
  });
}

int __wrap_faccessat(int directory, const char* path, int mode, int flags) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_faccessat(directory, p, mode, flags); });
}

int __wrap_mkdirat(int directory, const char* path, mode_t mode) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_mkdirat(directory, p, mode); });
}

int __wrap_mkfifoat(int directory, const char* path, mode_t mode) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_mkfifoat(directory, p, mode); });
}

int __wrap_unlinkat(int directory, const char* path, int flags) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_unlinkat(directory, p, flags); });
}

int __wrap_renameat(int from, const char* old_path, int to, const char* new_path) {
  return with_path_at(from, old_path, [&](const char* a) {
    return with_path_at(to, new_path,
                        [&](const char* b) { return __real_renameat(from, a, to, b); });
  });
}

int __wrap_renameat2(int from, const char* old_path, int to, const char* new_path, unsigned flags) {
  return with_path_at(from, old_path, [&](const char* a) {
    return with_path_at(to, new_path,
                        [&](const char* b) { return __real_renameat2(from, a, to, b, flags); });
  });
}

int __wrap_linkat(int from, const char* old_path, int to, const char* new_path, int flags) {
  return with_path_at(from, old_path, [&](const char* a) {
    return with_path_at(to, new_path,
                        [&](const char* b) { return __real_linkat(from, a, to, b, flags); });
  });
}

int __wrap_symlinkat(const char* target, int directory, const char* path) {
  return with_path(target, [&](const char* t) {
    return with_path_at(directory, path,
                        [&](const char* p) { return __real_symlinkat(t, directory, p); });
  });
}

ssize_t __wrap_readlinkat(int directory, const char* path, char* target, std::size_t size) {
  return with_path_at(directory, path, [&](const char* p) {
    const Bounce bounced = Bounce::out(target, size);
    const ssize_t got =
        bounced.ok() ? __real_readlinkat(directory, p, bounced.as<char>(), size) : kRefused;
    if (got > 0) bounced.deliver(static_cast<std::size_t>(got));
    return got;
  });
}

int __wrap_fchmodat(int directory, const char* path, mode_t mode, int flags) {
  return with_path_at(directory, path,
                      [&](const char* p) { return __real_fchmodat(directory, p, mode, flags); });
}

int __wrap_fchownat(int directory, const char* path, uid_t owner, gid_t group, int flags) {
  return with_path_at(directory, path, [&](const char* p) {
    return __real_fchownat(directory, p, owner, group, flags);
  });
}

int __wrap_utimensat(int directory, const char* path, const timespec times[2], int flags) {
  return with_path_at(directory, path, [&](const char* p) {
    return with_values(times, 2,
                       [&](const timespec* t) { return __real_utimensat(directory, p, t, flags); });
  });
}

}  // extern "C"
