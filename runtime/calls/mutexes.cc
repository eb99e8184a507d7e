// Mutexes: see locks.h.
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

// A mutex of libc's default kinds outside the space is libc's.
bool is_libcs(const pthread_mutex_t& mutex) {
  const int type = mutex.__data.__kind & 3;
  return !is_persistent(&mutex) && type != PTHREAD_MUTEX_RECURSIVE &&
         type != PTHREAD_MUTEX_ERRORCHECK;
}

WaitQueue* queue_of(pthread_mutex_t& mutex) {
  return is_persistent(&mutex) ? &GreenMutex::of(mutex).waiters : nullptr;  // I2
}

int attempt(GreenMutex& mutex, GreenThread* self) {
  if (mutex.owner == nullptr) {
    mutex.owner = self;
    mutex.depth = 1;
    return 0;
  }
  if (mutex.owner != self) return EBUSY;
  if (mutex.type() == PTHREAD_MUTEX_RECURSIVE) {
    ++mutex.depth;
    return 0;
  }
  // libc would wait for ever on a default mutex; the thread is told instead.
  return EDEADLK;
}

}  // namespace

int lock_green(pthread_mutex_t& mutex, const Deadline& deadline) {
  if (is_libcs(mutex)) {
    return acquire(nullptr, &mutex, deadline, [&] { return __real_pthread_mutex_trylock(&mutex); });
  }
  return acquire(queue_of(mutex), &mutex, deadline, [&] {
    return attempt(GreenMutex::of(mutex), Worker::of_this_thread()->current());
  });
}

int try_lock_green(pthread_mutex_t& mutex) {
  if (is_libcs(mutex)) return __real_pthread_mutex_trylock(&mutex);
  const base::LockGuard guard(Machine::instance().scheduler().lock());
  const int result = attempt(GreenMutex::of(mutex), Worker::of_this_thread()->current());
  return result == EDEADLK ? EBUSY : result;
}

int unlock_green(pthread_mutex_t& mutex) {
  if (is_libcs(mutex)) return __real_pthread_mutex_unlock(&mutex);
  Scheduler& scheduler = Machine::instance().scheduler();
  const base::LockGuard guard(scheduler.lock());
  GreenMutex& green = GreenMutex::of(mutex);
  const bool owned = green.owner == Worker::of_this_thread()->current();
  if (!owned && green.type() != PTHREAD_MUTEX_NORMAL) return EPERM;
  if (green.owner != nullptr && --green.depth != 0) return 0;
  green.owner = nullptr;
  if (queue_of(mutex) != nullptr) scheduler.notify_one_locked(green.waiters);
  return 0;
}

}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (green_caller() == nullptr) return __real_pthread_mutex_lock(mutex);
  return lock_green(*mutex, {});
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t* mutex) {
  if (green_caller() == nullptr) return __real_pthread_mutex_trylock(mutex);
  return try_lock_green(*mutex);
}

int __wrap_pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) {
  if (green_caller() == nullptr) return __real_pthread_mutex_timedlock(mutex, until);
  return lock_green(*mutex, deadline_at(CLOCK_REALTIME, *until));
}

int __wrap_pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  if (green_caller() == nullptr) return __real_pthread_mutex_clocklock(mutex, clock, until);
  return lock_green(*mutex, deadline_at(clock, *until));
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
  if (green_caller() == nullptr) return __real_pthread_mutex_unlock(mutex);
  return unlock_green(*mutex);
}

}  // extern "C"
