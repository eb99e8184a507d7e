// POSIX semaphores of green threads.
//
//   sem_t (32 bytes)   | value : 4 | .. | shared : 4 | .. | first : 8 | last : 8 |
//
// As for mutexes (locks.h): one in the space is of the layout drawn here, whose first half is
// libc's, and its waiters survive a restart; one elsewhere is libc's own, and a green thread tries
// and naps. A signal handler may post the latter only: the former's lock may be held by the thread
// that it interrupted.
#include <limits.h>
#include <semaphore.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/calls/acquire.h"
#include "runtime/calls/clocks.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

struct GreenSemaphore {
  std::uint32_t value;
  std::uint32_t unused;
  std::int32_t shared;
  std::uint32_t unused_too;
  WaitQueue waiters;

  static GreenSemaphore& of(sem_t& semaphore) {
    return reinterpret_cast<GreenSemaphore&>(semaphore);
  }
  // 0 or EBUSY.
  int take() { return value == 0 ? EBUSY : (--value, 0); }
};
static_assert(sizeof(GreenSemaphore) <= sizeof(sem_t));

// -1 with errno set, or 0.
int reported(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int green_wait(sem_t& semaphore, const Deadline& deadline) {
  if (!is_persistent(&semaphore)) {
    return reported(acquire(nullptr, &semaphore, deadline,
                            [&] { return __real_sem_trywait(&semaphore) == 0 ? 0 : EBUSY; }));
  }
  GreenSemaphore& green = GreenSemaphore::of(semaphore);
  return reported(acquire(&green.waiters, &semaphore, deadline, [&] { return green.take(); }));
}

int green_try_wait(sem_t& semaphore) {
  if (!is_persistent(&semaphore)) return __real_sem_trywait(&semaphore);
  const base::LockGuard guard(Machine::instance().scheduler().lock());
  return reported(GreenSemaphore::of(semaphore).take() == 0 ? 0 : EAGAIN);
}

int green_post(sem_t& semaphore) {
  if (!is_persistent(&semaphore)) return __real_sem_post(&semaphore);
  Scheduler& scheduler = Machine::instance().scheduler();
  const base::LockGuard guard(scheduler.lock());
  GreenSemaphore& green = GreenSemaphore::of(semaphore);
  if (green.value == SEM_VALUE_MAX) return reported(EOVERFLOW);
  ++green.value;
  scheduler.notify_one_locked(green.waiters);
  return 0;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

// libc's leaves the second half as it was.
int __wrap_sem_init(sem_t* semaphore, int shared, unsigned value) {
  if (is_persistent(semaphore)) std::memset(semaphore, 0, sizeof *semaphore);
  return __real_sem_init(semaphore, shared, value);
}

int __wrap_sem_wait(sem_t* semaphore) {
  return green_caller() == nullptr ? __real_sem_wait(semaphore) : green_wait(*semaphore, {});
}

int __wrap_sem_trywait(sem_t* semaphore) {
  return green_caller() == nullptr ? __real_sem_trywait(semaphore) : green_try_wait(*semaphore);
}

int __wrap_sem_timedwait(sem_t* semaphore, const timespec* until) {
  if (green_caller() == nullptr) return __real_sem_timedwait(semaphore, until);
  return green_wait(*semaphore, deadline_at(CLOCK_REALTIME, *until));
}

int __wrap_sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* until) {
  if (green_caller() == nullptr) return __real_sem_clockwait(semaphore, clock, until);
  return green_wait(*semaphore, deadline_at(clock, *until));
}

int __wrap_sem_post(sem_t* semaphore) {
  return green_caller() == nullptr ? __real_sem_post(semaphore) : green_post(*semaphore);
}

}  // extern "C"
