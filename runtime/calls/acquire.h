// The loop of every lock: try, wait, try again.
//
// Threads: green threads. Locks: takes kScheduler for each attempt.
#pragma once

#include <cerrno>

#include "base/lock.h"
#include "runtime/calls/blocking.h"
#include "runtime/calls/clocks.h"
#include "runtime/machine.h"
#include "runtime/threads/scheduler.h"
#include "runtime/threads/wait_queue.h"

namespace revenant::runtime {

// Calls `attempt` under the scheduler's lock until it does not say EBUSY, waiting on `queue`
// meanwhile; null: napping. ETIMEDOUT past the deadline.
template <class Attempt>
int acquire(WaitQueue* queue, const void* object, const Deadline& deadline,
            Attempt attempt) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  Scheduler& scheduler = Machine::instance().scheduler();
  for (;;) {
    scheduler.lock().lock();
    const int result = attempt();
    if (result != EBUSY || is_over(deadline)) {
      scheduler.lock().unlock();
      return result == EBUSY ? ETIMEDOUT : result;
    }
    if (queue == nullptr) {
      scheduler.lock().unlock();
      nap();
      continue;
    }
    Waiter waiter{.thread = Worker::of_this_thread()->current()};
    queue->push_back(waiter);
    scheduler.wait_locked(waiter, deadline, {WaitKind::kMutex, object});
  }
}

}  // namespace revenant::runtime
