#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/memory_limits.h"
#include "vm/memory_file_linux.h"
#include "vm/space.h"

namespace revenant::vm {
namespace {

constexpr int kWritable = PROT_READ | PROT_WRITE;

// How a window of `backing` is mapped.
int flags_of(int memory_file) {
  return MAP_NORESERVE | (memory_file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
}
int protection_of(int memory_file) { return memory_file < 0 ? kWritable : PROT_NONE; }

std::string why_no_space(int error) {
  if (error == EEXIST) {
    return "another mapping lies there; link the program as revenant_add_app does (static, not "
           "position independent), or find what maps it in /proc/PID/maps";
  }
  return error == ENOMEM ? base::why_no_memory() : std::strerror(error);
}

// Huge pages would be dirty as a whole; kernels built without them refuse the advice.
void advise(void* window, std::size_t bytes, int memory_file) {
  (void)::madvise(window, bytes, MADV_NOHUGEPAGE);
  if (memory_file < 0) return;
  (void)::madvise(window, bytes, MADV_DONTFORK);  // I4
  // A dump reads what allows no access, too, which would fill the file to its size.
  (void)::madvise(window, bytes, MADV_DONTDUMP);
}

}  // namespace

base::Status Space::open(base::PageRun low, Backing backing) {
  REVENANT_CHECK(window_count_ == 0, "the space is open");  // I1
  REVENANT_CHECK(low.count.bytes() <= kMaxLowSize && low.end() <= kSpaceRun.first);
  if (backing == Backing::kMemoryFile) REVENANT_TRY(open_memory_file(low));
  REVENANT_TRY(map_space());
  windows_[window_count_++] = kSpaceRun;
  if (low.count.value == 0) return {};
  REVENANT_TRY(remap_low(low));
  low_ = low;
  windows_[window_count_++] = low;
  return {};
}

base::Status Space::open_memory_file(base::PageRun low) {
  memory_file_ = make_memory_file("revenant");
  const std::uint64_t bytes = kSpaceSize + low.count.bytes();
  if (memory_file_ >= 0 && ::ftruncate(memory_file_, static_cast<off_t>(bytes)) == 0) return {};
  const int error = errno;
  if (memory_file_ >= 0) ::close(std::exchange(memory_file_, -1));
  const char* way_out = error == EFBIG || error == EINVAL
                            ? "; lift the limit of file sizes (ulimit -f unlimited)"
                            : "";
  return base::Error{
      base::ErrorCode::kUnsupportedHost,
      fmt::format("cannot make a memory file of {} GiB for the persistent space: {}{}",
                  bytes / kGiB, std::strerror(error), way_out)};
}

std::uint64_t Space::offset_of(base::PageNumber page) const noexcept {
  return kSpaceRun.contains(page) ? (page - kSpaceRun.first).bytes()
                                  : kSpaceSize + (page - low_.first).bytes();
}

base::Status Space::map_space() {
  void* wanted = kSpaceRun.first.pointer();
  void* mapped = ::mmap(wanted, kSpaceSize, protection_of(memory_file_),
                        flags_of(memory_file_) | MAP_FIXED_NOREPLACE, memory_file_, 0);
  int error = mapped == MAP_FAILED ? errno : 0;
  if (error == 0 && mapped != wanted) {
    // A kernel that does not know MAP_FIXED_NOREPLACE takes the address as a hint.
    ::munmap(mapped, kSpaceSize);
    error = EEXIST;
  }
  if (error != 0) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       fmt::format("cannot map the persistent space of {} GiB at {:#x}: {}",
                                   kSpaceSize / kGiB, kSpaceBase, why_no_space(error))};
  }
  advise(wanted, kSpaceSize, memory_file_);
  return {};
}

base::Status Space::remap_low(base::PageRun low) {
  std::byte* window = low.first.pointer();
  const std::size_t bytes = low.count.bytes();
  const off_t offset = memory_file_ < 0 ? 0 : static_cast<off_t>(kSpaceSize);
  if (::mmap(window, bytes, protection_of(memory_file_), flags_of(memory_file_) | MAP_FIXED,
             memory_file_, offset) != window) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       fmt::format("the section of persistent globals cannot be remapped: {}",
                                   std::strerror(errno))};
  }
  advise(window, bytes, memory_file_);
  return {};
}

void Space::close() {
  if (window_count_ != 0) {
    REVENANT_CHECK(::munmap(kSpaceRun.first.pointer(), kSpaceSize) == 0, "%s",
                   std::strerror(errno));
  }
  if (low_.count.value != 0) {
    (void)::mprotect(low_.first.pointer(), low_.count.bytes(), kWritable);
  }
  if (memory_file_ >= 0) ::close(std::exchange(memory_file_, -1));
  window_count_ = 0;
  low_ = {};
}

void Space::discard(base::PageRun run) const noexcept {
  const int saved = errno;
  const int failed = memory_file_ < 0
                         ? ::madvise(run.first.pointer(), run.count.bytes(), MADV_DONTNEED)
                         : ::fallocate(memory_file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                       static_cast<off_t>(offset_of(run.first)),
                                       static_cast<off_t>(run.count.bytes()));
  REVENANT_CHECK(failed == 0, "discarding %zu pages at %p: %s", run.count.value,
                 static_cast<void*>(run.first.pointer()), std::strerror(errno));
  errno = saved;
}

bool Space::write(base::PageRun run, const std::byte* source) const noexcept {
  const int saved = errno;
  const std::uint64_t offset = offset_of(run.first);
  std::uint64_t done = 0;
  while (done < run.count.bytes()) {
    const long written = ::syscall(SYS_pwrite64, memory_file_, source + done,
                                   run.count.bytes() - done, offset + done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::uint64_t>(written);
  }
  errno = saved;
  return done == run.count.bytes();
}

void Space::read(base::PageRun run, std::byte* target) const noexcept {
  const int saved = errno;
  const std::uint64_t offset = offset_of(run.first);
  std::uint64_t done = 0;
  while (done < run.count.bytes()) {
    const long got = ::syscall(SYS_pread64, memory_file_, target + done, run.count.bytes() - done,
                               offset + done);
    REVENANT_CHECK(got > 0 || errno == EINTR, "reading %zu pages of the memory file: %s",
                   run.count.value, std::strerror(errno));
    if (got > 0) done += static_cast<std::uint64_t>(got);
  }
  errno = saved;
}

bool Space::set_access(base::PageRun run, PageAccess access) const noexcept {
  static constexpr int kProtections[] = {PROT_NONE, PROT_READ, kWritable};
  const int saved = errno;
  const int result = ::mprotect(run.first.pointer(), run.count.bytes(),
                                kProtections[static_cast<std::size_t>(access)]);
  errno = saved;
  return result == 0;
}

}  // namespace revenant::vm
