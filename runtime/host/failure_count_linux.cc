#include "runtime/host/failure_count_linux.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>

namespace revenant::runtime {
namespace {

// Raw system calls: those of green threads are redirected.
int open_file(const char* path, int flags) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600));
}

}  // namespace

void FailureCount::open(const std::filesystem::path& store) {
  std::snprintf(path_, sizeof path_, "%s/failures", store.c_str());
}

unsigned FailureCount::count(std::uint64_t revision) const {
  static char text[64];  // volatile: the caller's stack may not be
  unsigned count = 0;
  std::uint64_t failed_from = 0;
  const int old_file = open_file(path_, O_RDONLY);
  if (old_file >= 0) {
    const long size = ::syscall(SYS_read, old_file, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    if (std::sscanf(text, "%" SCNu64 " %u", &failed_from, &count) != 2) count = 0;
    ::syscall(SYS_close, old_file);
  }
  count = failed_from == revision ? count + 1 : 1;
  const int size = std::snprintf(text, sizeof text, "%" PRIu64 " %u\n", revision, count);
  const int new_file = open_file(path_, O_WRONLY | O_CREAT | O_TRUNC);
  if (new_file < 0) return count;
  (void)!::syscall(SYS_write, new_file, text, size);
  ::syscall(SYS_close, new_file);
  return count;
}

}  // namespace revenant::runtime
