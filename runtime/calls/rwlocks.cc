// Read-write locks: see locks.h.
#include <pthread.h>

#include <cerrno>

#include "runtime/calls/acquire.h"
#include "runtime/calls/clocks.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/locks.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

int try_read(GreenRwlock& lock) { return lock.readers < 0 ? EBUSY : (++lock.readers, 0); }

int try_write(GreenRwlock& lock) { return lock.readers != 0 ? EBUSY : (lock.readers = -1, 0); }

// In the space by `mine`, elsewhere by libc's own function.
template <class Mine, class Real>
int acquire_rwlock(pthread_rwlock_t& lock, const Deadline& deadline, Mine mine, Real real) {
  if (!is_persistent(&lock)) return acquire(nullptr, &lock, deadline, [&] { return real(&lock); });
  GreenRwlock& green = GreenRwlock::of(lock);
  return acquire(&green.waiters, &lock, deadline, [&] { return mine(green); });
}

template <class Mine, class Real>
int try_rwlock(pthread_rwlock_t& lock, Mine mine, Real real) {
  if (!is_persistent(&lock)) return real(&lock);
  const base::LockGuard guard(Machine::instance().scheduler().lock());
  return mine(GreenRwlock::of(lock));
}

int unlock_rwlock(pthread_rwlock_t& lock) {
  if (!is_persistent(&lock)) return __real_pthread_rwlock_unlock(&lock);
  Scheduler& scheduler = Machine::instance().scheduler();
  const revenant::base::LockGuard guard(scheduler.lock());
  GreenRwlock& green = GreenRwlock::of(lock);
  green.readers = green.readers < 0 ? 0 : green.readers - 1;
  if (green.readers == 0) scheduler.notify_all_locked(green.waiters);
  return 0;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_rdlock(lock);
  return acquire_rwlock(*lock, {}, try_read, __real_pthread_rwlock_tryrdlock);
}

int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_wrlock(lock);
  return acquire_rwlock(*lock, {}, try_write, __real_pthread_rwlock_trywrlock);
}

int __wrap_pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_tryrdlock(lock);
  return try_rwlock(*lock, try_read, __real_pthread_rwlock_tryrdlock);
}

int __wrap_pthread_rwlock_trywrlock(pthread_rwlock_t* lock) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_trywrlock(lock);
  return try_rwlock(*lock, try_write, __real_pthread_rwlock_trywrlock);
}

int __wrap_pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                                      const timespec* until) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_clockrdlock(lock, clock, until);
  return acquire_rwlock(*lock, deadline_at(clock, *until), try_read,
                        __real_pthread_rwlock_tryrdlock);
}

int __wrap_pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                                      const timespec* until) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_clockwrlock(lock, clock, until);
  return acquire_rwlock(*lock, deadline_at(clock, *until), try_write,
                        __real_pthread_rwlock_trywrlock);
}

int __wrap_pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  if (green_caller() == nullptr) return __real_pthread_rwlock_unlock(lock);
  return unlock_rwlock(*lock);
}

}  // extern "C"
