#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "vm/frame_pool.h"

namespace revenant::vm {
namespace {

// Below the space, like which it lies where TSan leaves room for the program, and has no other
// 512 GiB beside the store's map: the kernel would put it where the threads' stacks belong. Between
// the two is a gap, so that they stay two mappings.
constexpr std::uintptr_t kWishedBase = kSpaceBase - kSpaceSize - kGiB;

}  // namespace

base::Status FramePool::open() {
  close();
  REVENANT_ASSIGN(memory_, reserve_volatile(kSpaceSize, "the frames outside the space",
                                            reinterpret_cast<std::byte*>(kWishedBase)));
  // A huge page here would be memory that nobody counts; and the kernel moves small ones only.
  ::syscall(SYS_madvise, memory_, kSpaceSize, MADV_NOHUGEPAGE);
  return {};
}

void FramePool::close() { release_volatile(std::exchange(memory_, nullptr), kSpaceSize); }

void FramePool::discard(base::PageRun run) const noexcept {
  const int saved = errno;
  const long failed =
      ::syscall(SYS_madvise, place_of(run.first).pointer(), run.count.bytes(), MADV_DONTNEED);
  REVENANT_CHECK(failed == 0, "discarding %zu frames: %s", run.count.value, std::strerror(errno));
  errno = saved;
}

}  // namespace revenant::vm
