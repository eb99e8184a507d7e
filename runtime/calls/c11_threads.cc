// C11's mutexes, conditions, threads and thread-specific data: what pthread's are, by other names.
//
// pthread's functions are called by their public names, which are redirected (mutexes.cc,
// conditions.cc, clocks.cc); libc's own go by inner names, and would hold up all green threads.
#include <pthread.h>
#include <sched.h>
#include <threads.h>
#include <time.h>

#include <cerrno>
#include <type_traits>

#include "runtime/calls/green_caller.h"
#include "runtime/host/log.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(std::is_same_v<tss_t, pthread_key_t>);

pthread_mutex_t* pthreads(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* pthreads(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

// pthread's errno value as one of threads.h's.
int reported(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ETIMEDOUT:
      return thrd_timedout;
    case ENOMEM:
      return thrd_nomem;
    default:
      return thrd_error;
  }
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_mtx_lock(mtx_t* mutex) { return reported(::pthread_mutex_lock(pthreads(mutex))); }

int __wrap_mtx_trylock(mtx_t* mutex) { return reported(::pthread_mutex_trylock(pthreads(mutex))); }

int __wrap_mtx_timedlock(mtx_t* mutex, const timespec* until) {
  return reported(::pthread_mutex_timedlock(pthreads(mutex), until));
}

int __wrap_mtx_unlock(mtx_t* mutex) { return reported(::pthread_mutex_unlock(pthreads(mutex))); }

int __wrap_cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return reported(::pthread_cond_wait(pthreads(condition), pthreads(mutex)));
}

int __wrap_cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return reported(::pthread_cond_timedwait(pthreads(condition), pthreads(mutex), until));
}

int __wrap_cnd_signal(cnd_t* condition) {
  return reported(::pthread_cond_signal(pthreads(condition)));
}

int __wrap_cnd_broadcast(cnd_t* condition) {
  return reported(::pthread_cond_broadcast(pthreads(condition)));
}

int __wrap_thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  if (green_caller() == nullptr) return __real_thrd_create(thread, function, argument);
  log_line(
      "a green thread asked for an OS thread (thrd_create), which would touch persistent memory "
      "behind the snapshots' back; use revenant::thread");
  return thrd_error;
}

// -1 when a signal came, another negative value for an error.
int __wrap_thrd_sleep(const timespec* time, timespec* left) {
  const int error = ::clock_nanosleep(CLOCK_REALTIME, 0, time, left);
  if (error == 0) return 0;
  return error == EINTR ? -1 : -2;
}

void __wrap_thrd_yield() { ::sched_yield(); }

int __wrap_tss_create(tss_t* key, tss_dtor_t destructor) {
  return reported(::pthread_key_create(key, destructor));
}

void __wrap_tss_delete(tss_t key) { ::pthread_key_delete(key); }

void* __wrap_tss_get(tss_t key) { return ::pthread_getspecific(key); }

int __wrap_tss_set(tss_t key, void* value) { return reported(::pthread_setspecific(key, value)); }

}  // extern "C"
