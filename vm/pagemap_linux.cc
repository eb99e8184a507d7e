#include "vm/pagemap_linux.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "vm/uffd_abi_linux.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {
namespace {

constexpr std::size_t kRegions = 4096;
constexpr std::size_t kRegionBytes = kRegions * sizeof(page_region);

base::Error scan_error(int error) {
  const char* way_out = error == ENOTTY || error == EINVAL ? "; Linux 6.7 or later has it" : "";
  return {base::ErrorCode::kUnsupportedHost,
          fmt::format("PAGEMAP_SCAN failed: {}{}", std::strerror(error), way_out)};
}

pm_scan_arg written_pages(base::PageRun pages, bool rearm, page_region* regions) {
  pm_scan_arg request{};
  request.size = sizeof request;
  request.flags = rearm ? PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC : 0;
  request.start = pages.first.address();
  request.end = pages.end().address();
  request.vec = reinterpret_cast<std::uintptr_t>(regions);
  request.vec_len = kRegions;
  request.category_mask = PAGE_IS_WRITTEN;
  request.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;  // I1
  request.return_mask = PAGE_IS_WRITTEN;
  return request;
}

}  // namespace

base::Status Pagemap::open() {
  close();
  REVENANT_ASSIGN(std::byte * memory, reserve_volatile(kRegionBytes, "the list of a page scan"));
  regions_ = reinterpret_cast<page_region*>(memory);
  descriptor_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (descriptor_ >= 0) return {};
  return base::Error{
      base::ErrorCode::kUnsupportedHost,
      fmt::format("/proc/self/pagemap cannot be opened: {}; mount /proc", std::strerror(errno))};
}

void Pagemap::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  release_volatile(reinterpret_cast<std::byte*>(std::exchange(regions_, nullptr)), kRegionBytes);
}

base::Status Pagemap::scan(base::PageRun pages, Rearm rearm, DirtyList& out) {
  pm_scan_arg request = written_pages(pages, rearm == Rearm::kYes, regions_);
  while (request.start < request.end) {
    const int found = ::ioctl(descriptor_, PAGEMAP_SCAN, &request);
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) return scan_error(errno);
    for (int i = 0; i < found; ++i) {
      const base::PageNumber first = base::PageNumber::of(regions_[i].start);
      out.append({first, base::PageNumber::of(regions_[i].end) - first});
    }
    request.start = request.walk_end;  // I2
  }
  return {};
}

}  // namespace revenant::vm
