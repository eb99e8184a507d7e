// What was given back since the last snapshot.
//
// A fault brings neighbours in of the page that was touched. Between asking what a neighbour stands
// for and bringing it in, its owner may give it back; the page would come to life again, with an
// image that is stale for whoever gets it next. So whoever brings pages in ahead looks, under their
// stripe's lock, whether anything was released since it asked:
//
//   fault:    mark = releases() .. ask rules .. bring_in(mark)
//   release:  the owner's rule changes .. release(): remember, ++releases, discard stripe by stripe
//
// I1  A page that was brought in ahead was not released after the mark, or is discarded by the
//     release that follows.
// I2  A released run is in take() exactly once, and in take_for_parking() exactly once.
// I3  Code under the lock touches no page of the space, not even with its stack (volatile_stack.h):
//     the fault handler takes the locks that are taken under it.
//
// Threads: release() from any; forget() and take() from those whose stacks are not in the space.
// Locks: lock_ (rank kDirtyList), and the pager's under it.
#pragma once

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_list.h"
#include "vm/pager.h"

namespace revenant::vm {

class ReleasedRuns {
 public:
  // `pager` drops the pages, and outlives their release.
  [[nodiscard]] base::Status open(Pager& pager) REVENANT_EXCLUDES(lock_);

  // Discards the pages of `run` and remembers it.
  void release(base::PageRun run) REVENANT_EXCLUDES(lock_);
  // Remembers `run`, which lies outside the space and has nothing to discard.
  void forget(base::PageRun run) REVENANT_EXCLUDES(lock_);
  // Exchanges what was released for `out`'s storage: `out` is open, what it held is forgotten.
  void take(DirtyList& out) REVENANT_EXCLUDES(lock_);
  // The same for whoever parks images: those of released pages are not wanted any more.
  void take_for_parking(DirtyList& out) REVENANT_EXCLUDES(lock_);

 private:
  void discard(base::PageRun run) REVENANT_EXCLUDES(lock_);

  Pager* pager_ = nullptr;  // constant after open()

  base::Lock lock_{base::LockRank::kDirtyList};
  DirtyList runs_ REVENANT_GUARDED_BY(lock_);
  DirtyList parking_runs_ REVENANT_GUARDED_BY(lock_);
};

}  // namespace revenant::vm
