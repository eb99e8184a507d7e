#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.h"
#include "vm/space.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {
namespace {

constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
constexpr int kWritable = PROT_READ | PROT_WRITE;

std::string why_no_space(int error) {
  if (error == EEXIST) {
    return "another mapping lies there; link the program as revenant_add_app does (static, not "
           "position independent), or find what maps it in /proc/PID/maps";
  }
  rlimit limit{};
  if (error == ENOMEM && ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    return fmt::format("the address-space limit is {} MiB; lift it (ulimit -v unlimited)",
                       limit.rlim_cur >> 20);
  }
  if (error == ENOMEM) {
    return "the kernel refuses to overcommit; set vm.overcommit_memory to 0 or 1";
  }
  return std::strerror(error);
}

bool is_zero(const std::byte* page) {
  return std::all_of(page, page + base::kPageSize, [](std::byte b) { return b == std::byte{0}; });
}

base::Error low_error(const char* what) {
  return {base::ErrorCode::kUnsupportedHost,
          fmt::format("the section of persistent globals cannot be {}: {}", what,
                      std::strerror(errno))};
}

}  // namespace

base::Status Space::open(base::PageRun low, LowContents contents) {
  REVENANT_CHECK(window_count_ == 0, "the space is open");  // I1
  REVENANT_CHECK(low.count.bytes() <= kMaxLowSize && low.end() <= kSpaceRun.first);
  REVENANT_TRY(map_space());
  windows_[window_count_++] = kSpaceRun;
  if (low.count.value == 0) return {};
  REVENANT_TRY(remap_low(low, contents));
  low_ = low;
  windows_[window_count_++] = low;
  return {};
}

base::Status Space::map_space() {
  void* wanted = kSpaceRun.first.pointer();
  void* mapped = ::mmap(wanted, kSpaceSize, kWritable, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
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
  // A huge page would be dirty as a whole. Kernels built without them refuse the advice.
  (void)::madvise(wanted, kSpaceSize, MADV_NOHUGEPAGE);
  return {};
}

base::Status Space::remap_low(base::PageRun low, LowContents contents) {
  const std::size_t bytes = low.count.bytes();
  std::byte* window = low.first.pointer();
  REVENANT_ASSIGN(std::byte * kept,
                  reserve_volatile(bytes, "the persistent globals' first values"));
  if (contents == LowContents::kKeep) std::memcpy(kept, window, bytes);
  if (::mmap(window, bytes, kWritable, kFlags | MAP_FIXED, -1, 0) != window) {
    release_volatile(kept, bytes);
    return low_error("remapped");
  }
  (void)::madvise(window, bytes, MADV_NOHUGEPAGE);
  for (std::size_t at = 0; contents == LowContents::kKeep && at < bytes; at += base::kPageSize) {
    if (!is_zero(kept + at)) std::memcpy(window + at, kept + at, base::kPageSize);
  }
  release_volatile(kept, bytes);
  return {};
}

void Space::close() {
  if (window_count_ == 0) return;
  REVENANT_CHECK(::munmap(kSpaceRun.first.pointer(), kSpaceSize) == 0, "%s", std::strerror(errno));
  if (low_.count.value != 0) {
    (void)::mprotect(low_.first.pointer(), low_.count.bytes(), kWritable);
  }
  window_count_ = 0;
  low_ = {};
}

void Space::discard(base::PageRun run) const noexcept {
  const int saved = errno;
  REVENANT_CHECK(::madvise(run.first.pointer(), run.count.bytes(), MADV_DONTNEED) == 0,
                 "discarding %zu pages at %p: %s", run.count.value,
                 static_cast<void*>(run.first.pointer()), std::strerror(errno));
  errno = saved;
}

bool Space::set_writable(base::PageRun run, bool writable) const noexcept {
  const int saved = errno;
  const int result =
      ::mprotect(run.first.pointer(), run.count.bytes(), writable ? kWritable : PROT_READ);
  errno = saved;
  return result == 0;
}

}  // namespace revenant::vm
