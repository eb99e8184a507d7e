#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
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

// This process, where a pidfd is asked for: PIDFD_SELF_THREAD_GROUP of <linux/pidfd.h>, since
// Linux 6.14, which is older than what it is used for: a batch of MADV_DONTNEED that costs one
// shootdown (6.16). Earlier kernels refuse it.
constexpr int kThisProcess = -10001;

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

bool FramePool::Batch::overlaps(base::PageRun run) const {
  return std::any_of(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(size),
                     [&](const base::PageRun& other) {
                       return other.first < run.end() && run.first < other.end();
                     });
}

std::uint64_t FramePool::discard_later(base::PageRun run) noexcept {
  const base::LockGuard guard(lock_);
  waiting_.runs[waiting_.size++] = run;
  waiting_.pages += run.count.value;
  return waiting_.full() ? give_back_waiting() : 0;
}

std::uint64_t FramePool::discard_waiting() noexcept {
  const base::LockGuard guard(lock_);
  return give_back_waiting();
}

std::uint64_t FramePool::make_room(base::PageRun run) noexcept {
  const base::LockGuard guard(lock_);
  std::uint64_t discarded = 0;
  if (waiting_.overlaps(run)) discarded = give_back_waiting();
  while (is_going(run)) gone_.wait(lock_);
  return discarded;
}

bool FramePool::is_going(base::PageRun run) const {
  const Batch* batch = going_;
  while (batch != nullptr && !batch->overlaps(run)) batch = batch->next;
  return batch != nullptr;
}

std::uint64_t FramePool::give_back_waiting() noexcept {
  if (waiting_.size == 0) return 0;
  Batch batch = waiting_;
  batch.next = std::exchange(going_, &batch);
  waiting_.size = 0;
  waiting_.pages = 0;
  lock_.unlock();
  give_back(batch);
  lock_.lock();
  Batch** link = &going_;
  while (*link != &batch) link = &(*link)->next;
  *link = batch.next;
  gone_.notify_all();
  return batch.pages;
}

void FramePool::give_back(const Batch& batch) const noexcept {
  std::array<iovec, Batch::kRuns> ranges;
  for (std::size_t i = 0; i < batch.size; ++i) {
    ranges[i] = {place_of(batch.runs[i].first).pointer(), batch.runs[i].count.bytes()};
  }
  const int saved = errno;
  const long bytes =
      ::syscall(SYS_process_madvise, kThisProcess, ranges.data(), batch.size, MADV_DONTNEED, 0);
  errno = saved;
  if (bytes == static_cast<long>(batch.pages * base::kPageSize)) return;
  for (std::size_t i = 0; i < batch.size; ++i) discard(batch.runs[i]);
}

}  // namespace revenant::vm
