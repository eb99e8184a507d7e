// What waits for a commit: sync(), after_commit(), output held back.
//
//   green thread registers --> stop of epoch E --> E is durable --> released
//
// The lists lie in the world. What stood on them at the stop of epoch E is in the image of E: after
// a restart from E it is released at once, since E is durable. So a function handed to after_commit
// runs at least once and never before its commit, and a thread in sync() never waits for a commit
// that the program did not live to see.
//
// I1  An entry registered while epoch E is open is released once E, or a later epoch, is durable.
// I2  Functions are taken off in the order of their registration.
//
// Threads: workers. Locks: guarded by the scheduler's lock; functions named *_locked want it held.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "revenant/detail/task.h"
#include "runtime/threads/scheduler.h"
#include "runtime/threads/wait_queue.h"

namespace revenant::runtime {

// A thread in sync(); lies in its frame.
struct SyncWaiter {
  Waiter waiter;           // first: the queue knows waiters only
  base::Epoch registered;  // the epoch that was open
  base::Epoch durable;     // the answer; none: it could not be made durable
};

// A function held back; lies in the heap.
struct HeldFunction {
  detail::task* function = nullptr;
  bool own_thread = false;  // it may block; otherwise it is run in turn, in order
  base::Epoch registered;
  HeldFunction* next = nullptr;
};

// The persistent half: lies in the world.
struct ReleaseState {
  WaitQueue sync_waiters;
  HeldFunction* first_held = nullptr;
  HeldFunction* last_held = nullptr;
  WaitQueue releaser;  // the green thread that runs held functions, while it has none to run
  bool has_releaser = false;
};

class ReleaseQueue final : public CommitListener {
 public:
  explicit ReleaseQueue(Scheduler& scheduler) : scheduler_(scheduler) {}
  void attach(ReleaseState& state, base::Epoch durable) {
    state_ = &state;
    durable_ = durable;
  }

  void add_locked(SyncWaiter& waiter) { state_->sync_waiters.push_back(waiter.waiter); }
  void add_locked(HeldFunction& held);

  void committed_locked(base::Epoch durable) override;
  void failed_locked(base::Epoch failed) override;

  // The next function that is free to run, taken off the queue; null when there is none.
  HeldFunction* take_released_locked();
  ReleaseState& state_locked() { return *state_; }

 private:
  Scheduler& scheduler_;
  ReleaseState* state_ = nullptr;
  base::Epoch durable_;
};

}  // namespace revenant::runtime
