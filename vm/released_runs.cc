#include "vm/released_runs.h"

#include "vm/volatile_stack.h"

namespace revenant::vm {

base::Status ReleasedRuns::open(Pager& pager) {
  base::LockGuard guard(lock_);
  pager_ = &pager;
  for (DirtyList* runs : {&runs_, &parking_runs_}) {
    REVENANT_TRY(runs->open());
    runs->clear();
  }
  return {};
}

void ReleasedRuns::release(base::PageRun run) {
  on_volatile_stack([this, run] { discard(run); });  // I3
}

void ReleasedRuns::discard(base::PageRun run) {
  base::LockGuard guard(lock_);
  runs_.append(run);
  if (pager_->has_budget()) parking_runs_.append(run);
  pager_->discard(run);
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

void ReleasedRuns::take_for_parking(DirtyList& out) {
  out.clear();
  base::LockGuard guard(lock_);
  parking_runs_.swap(out);
}

}  // namespace revenant::vm
