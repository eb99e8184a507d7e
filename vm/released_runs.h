// What was given back since the last snapshot, and the race between giving back and filling ahead.
//
// A fault fills neighbours of the page that was touched. Between asking what a neighbour stands for
// and filling it, its owner may give it back; the page would come to life again, with an image that
// is stale for whoever gets it next. So filling ahead and discarding exclude each other, and
// whoever fills ahead checks that nothing was released since it asked:
//
//   fault:    mark = sequence() .. ask rules .. fill_unless_released(mark, fill)
//   release:  the owner's rule changes .. release(): ++sequence, discard, remember
//
// I1  A page that fill_unless_released() fills was not released after the mark, or is discarded by
//     the release that follows.
// I2  A released run is in take() exactly once.
// I3  Code under the lock touches no page of the space, not even with its stack (volatile_stack.h):
//     the fault handler takes the lock.
//
// Threads: release() from any; forget() and take() from those whose stacks are not in the space.
// Locks: lock_ (rank kDirtyList), and the tracker's under it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_list.h"
#include "vm/dirty_tracker.h"

namespace revenant::vm {

class ReleasedRuns {
 public:
  // `tracker` drops the pages, and outlives their release.
  [[nodiscard]] base::Status open(DirtyTracker& tracker) REVENANT_EXCLUDES(lock_);

  // Discards the pages of `run` and remembers it.
  void release(base::PageRun run) REVENANT_EXCLUDES(lock_);
  // Remembers `run`, which lies outside the space and has nothing to discard.
  void forget(base::PageRun run) REVENANT_EXCLUDES(lock_);
  // Exchanges what was released for `out`'s storage: `out` is open, what it held is forgotten.
  void take(DirtyList& out) REVENANT_EXCLUDES(lock_);

  [[nodiscard]] std::uint64_t sequence() const noexcept {
    return sequence_.load(std::memory_order_acquire);
  }
  // Calls fill() unless anything was released since `mark`; says whether it did.
  template <class Fill>
  bool fill_unless_released(std::uint64_t mark, Fill&& fill) REVENANT_EXCLUDES(lock_) {
    base::LockGuard guard(lock_);
    if (sequence_.load(std::memory_order_relaxed) != mark) return false;
    fill();
    return true;
  }

 private:
  void discard(base::PageRun run) REVENANT_EXCLUDES(lock_);

  DirtyTracker* tracker_ = nullptr;         // constant after open()
  std::atomic<std::uint64_t> sequence_{0};  // written under lock_

  base::Lock lock_{base::LockRank::kDirtyList};
  DirtyList runs_ REVENANT_GUARDED_BY(lock_);
};

}  // namespace revenant::vm
