#include "vm/released_runs.h"

#include "vm/volatile_stack.h"

namespace revenant::vm {

base::Status ReleasedRuns::open(DirtyTracker& tracker) {
  base::LockGuard guard(lock_);
  tracker_ = &tracker;
  REVENANT_TRY(runs_.open());
  runs_.clear();
  return {};
}

void ReleasedRuns::release(base::PageRun run) {
  on_volatile_stack([this, run] { discard(run); });  // I3
}

void ReleasedRuns::discard(base::PageRun run) {
  base::LockGuard guard(lock_);
  sequence_.fetch_add(1, std::memory_order_release);  // I1: before the pages go
  tracker_->discard(run);
  runs_.append(run);
}

void ReleasedRuns::forget(base::PageRun run) {
  base::LockGuard guard(lock_);
  runs_.append(run);
}

void ReleasedRuns::take(DirtyList& out) {
  out.clear();
  base::LockGuard guard(lock_);
  runs_.swap(out);
}

}  // namespace revenant::vm
