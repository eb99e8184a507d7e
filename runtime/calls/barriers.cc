// Barriers: see locks.h.
#include <pthread.h>

#include <cstring>

#include "runtime/calls/blocking.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/locks.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

// In static storage nobody can be queued.
int nap_until_next_round(const GreenBarrier& barrier, std::uint32_t round) {
  while (__atomic_load_n(&barrier.round, __ATOMIC_ACQUIRE) == round) nap();
  return 0;
}

int wait_green(pthread_barrier_t& barrier) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  Scheduler& scheduler = Machine::instance().scheduler();
  GreenBarrier& green = GreenBarrier::of(barrier);
  const bool queues = is_persistent(&barrier);
  scheduler.lock().lock();
  const std::uint32_t round = green.round;
  if (++green.arrived >= green.count) {
    green.arrived = 0;
    __atomic_store_n(&green.round, round + 1, __ATOMIC_RELEASE);
    if (queues) scheduler.notify_all_locked(green.waiters);
    scheduler.lock().unlock();
    return PTHREAD_BARRIER_SERIAL_THREAD;
  }
  if (!queues) {
    scheduler.lock().unlock();
    return nap_until_next_round(green, round);
  }
  Waiter waiter{.thread = Worker::of_this_thread()->current()};
  green.waiters.push_back(waiter);
  scheduler.wait_locked(waiter, {}, {WaitKind::kCondition, &barrier});
  return 0;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

// libc's leaves the last bytes as they were.
int __wrap_pthread_barrier_init(pthread_barrier_t* barrier, const pthread_barrierattr_t* attributes,
                                unsigned count) {
  if (is_persistent(barrier)) std::memset(barrier, 0, sizeof *barrier);
  return __real_pthread_barrier_init(barrier, attributes, count);
}

int __wrap_pthread_barrier_wait(pthread_barrier_t* barrier) {
  return green_caller() == nullptr ? __real_pthread_barrier_wait(barrier) : wait_green(*barrier);
}

}  // extern "C"
