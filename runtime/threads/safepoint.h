// All stop; the last one does the work.
//
//   housekeeping:  stop_and(step, assist) -- assists, waits --> measures, goes on
//   workers:       ... poll --> park            } the last to park runs step, releases all
//                  ... in a call or idle: parked already, and stays out until released
//
// I1  step runs while no worker runs green code, and exactly once a stop.
// I2  A worker that runs green code is counted in running_; one in a call outside or asleep is not.
// I3  Nobody becomes running while a stop is requested.
//
// Whoever parks last does the step itself: a hand-over to another OS thread would cost more than
// the step. With every worker idle, the requester is the last; otherwise it may assist.
//
// Threads: workers call park, leave and enter; one other thread calls stop_and. Locks: kSafepoint,
// held during the step.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/function_ref.h"
#include "base/lock.h"

namespace revenant::runtime {

class Safepoint {
 public:
  // The flag that green code polls lies where public headers can see it.
  explicit Safepoint(std::atomic<bool>& requested) : requested_(requested) {}

  [[nodiscard]] bool requested() const { return requested_.load(std::memory_order_relaxed); }
  // From a worker that runs green code, on its own stack, with every green context saved.
  void park();
  // The worker stops running green code for a while: it sleeps, or makes a call outside.
  void leave();
  // It runs green code again, after any stop under way.
  void enter();

  // Stops all workers, has `step` run and releases them. Meanwhile the caller runs `assist`, unless
  // it did the step itself: before, beside or after the step; and again every millisecond as long
  // as it returns true and the step has not run. Returns the time from the request to the release,
  // in nanoseconds.
  std::int64_t stop_and(base::FunctionRef<void()> step, base::FunctionRef<bool()> assist);
  // The same, and nobody is released: no green code runs in this process any more.
  std::int64_t stop_for_good(base::FunctionRef<void()> step, base::FunctionRef<bool()> assist);

 private:
  std::int64_t stop_and_call(base::FunctionRef<void()> step, base::FunctionRef<bool()> assist,
                             bool for_good);
  void run_step_if_last() REVENANT_REQUIRES(lock_);
  void wait_until_released() REVENANT_REQUIRES(lock_);

  std::atomic<bool>& requested_;
  base::Lock lock_{base::LockRank::kSafepoint};
  base::Condition released_;
  base::Condition stepped_;
  int running_ REVENANT_GUARDED_BY(lock_) = 0;
  // The step of the stop under way; its caller waits for it.
  const base::FunctionRef<void()>* step_ REVENANT_GUARDED_BY(lock_) = nullptr;
  bool stepped_once_ REVENANT_GUARDED_BY(lock_) = false;
  bool for_good_ REVENANT_GUARDED_BY(lock_) = false;
  std::int64_t released_at_ns_ REVENANT_GUARDED_BY(lock_) = 0;
};

}  // namespace revenant::runtime
