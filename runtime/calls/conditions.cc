// Condition variables: see locks.h.
#include <pthread.h>

#include <cerrno>

#include "runtime/calls/blocking.h"
#include "runtime/calls/clocks.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/locks.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

// Which clock pthread_condattr_setclock chose: libc keeps it in this bit.
clockid_t clock_of(const pthread_cond_t& condition) {
  return (condition.__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

// Outside the space nobody can be queued: a spurious wake-up after a moment.
int nap_unlocked(pthread_mutex_t& mutex, const Deadline& deadline) {
  if (const int error = unlock_green(mutex)) return error;
  nap();
  const int locked = lock_green(mutex, {});
  return locked == 0 && is_over(deadline) ? ETIMEDOUT : locked;
}

int wait_green(pthread_cond_t& condition, pthread_mutex_t& mutex,
               const Deadline& deadline) REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  if (!is_persistent(&condition)) return nap_unlocked(mutex, deadline);
  Scheduler& scheduler = Machine::instance().scheduler();
  Waiter waiter{.thread = Worker::of_this_thread()->current()};
  {
    const revenant::base::LockGuard guard(scheduler.lock());
    GreenCondition::of(condition).waiters.push_back(waiter);  // no notification is missed
  }
  if (const int error = unlock_green(mutex)) {
    const revenant::base::LockGuard guard(scheduler.lock());
    if (waiter.queue != nullptr) waiter.queue->erase(waiter);
    return error;
  }
  scheduler.lock().lock();
  const bool notified = scheduler.wait_locked(waiter, deadline, {WaitKind::kCondition, &condition});
  const int locked = lock_green(mutex, {});
  return locked == 0 && !notified ? ETIMEDOUT : locked;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (green_caller() == nullptr) return __real_pthread_cond_wait(condition, mutex);
  return wait_green(*condition, *mutex, {});
}

int __wrap_pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                  const timespec* until) {
  if (green_caller() == nullptr) return __real_pthread_cond_timedwait(condition, mutex, until);
  return wait_green(*condition, *mutex, deadline_at(clock_of(*condition), *until));
}

int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                  clockid_t clock, const timespec* until) {
  if (green_caller() == nullptr) {
    return __real_pthread_cond_clockwait(condition, mutex, clock, until);
  }
  return wait_green(*condition, *mutex, deadline_at(clock, *until));
}

int __wrap_pthread_cond_signal(pthread_cond_t* condition) {
  if (green_caller() == nullptr || !is_persistent(condition)) {
    return __real_pthread_cond_signal(condition);
  }
  Scheduler& scheduler = Machine::instance().scheduler();
  const revenant::base::LockGuard guard(scheduler.lock());
  scheduler.notify_one_locked(GreenCondition::of(*condition).waiters);
  return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t* condition) {
  if (green_caller() == nullptr || !is_persistent(condition)) {
    return __real_pthread_cond_broadcast(condition);
  }
  Scheduler& scheduler = Machine::instance().scheduler();
  const revenant::base::LockGuard guard(scheduler.lock());
  scheduler.notify_all_locked(GreenCondition::of(*condition).waiters);
  return 0;
}

}  // extern "C"
