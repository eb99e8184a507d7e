#include "tests/objects/plain_space.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace revenant::objects {
namespace {

constexpr std::size_t kMapped = kHeapEnd - kWorldAddress;

}  // namespace

PlainSpace::PlainSpace() {
  void* mapped = ::mmap(reinterpret_cast<void*>(kWorldAddress), kMapped, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  REVENANT_CHECK(mapped == reinterpret_cast<void*>(kWorldAddress));
  World::create({.stack_canary = 1, .pointer_guard = 2}, base::Epoch{1});
}

PlainSpace::~PlainSpace() { ::munmap(reinterpret_cast<void*>(kWorldAddress), kMapped); }

void FakePages::release(base::PageRun run) noexcept {
  if (mode_ == OnRelease::kPoison) {
    std::memset(run.first.pointer(), static_cast<int>(kPoison), run.count.bytes());
  } else {
    ::madvise(run.first.pointer(), run.count.bytes(), MADV_DONTNEED);
  }
  base::LockGuard guard(lock_);
  released_.push_back(run);
}

std::vector<base::PageRun> FakePages::take_released() {
  base::LockGuard guard(lock_);
  return std::exchange(released_, {});
}

bool all_are(const void* begin, std::size_t bytes, std::byte value) {
  const auto* first = static_cast<const std::byte*>(begin);
  return std::all_of(first, first + bytes, [value](std::byte byte) { return byte == value; });
}

}  // namespace revenant::objects
