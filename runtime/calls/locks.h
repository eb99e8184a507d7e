// pthread's mutexes, conditions, read-write locks and barriers, as green threads use them.
//
//   pthread_mutex_t (40)    | owner : 8 | depth : 4 | .. | kind : 4 | .. | first : 8 | last : 8 |
//   pthread_cond_t (48)     | first : 8 | last : 8 | ........ | clock, by libc's own bit | .... |
//   pthread_rwlock_t (56)   | readers : 4 (-1: a writer) | .. | first : 8 | last : 8 | ........ |
//   pthread_barrier_t (32)  | arrived : 4 | round : 4 | count : 4 | .. | first : 8 | last : 8 |
//
// Objects in the space are of the layouts drawn here, in libc's bytes: zero is unlocked, as libc's
// static initialisers and init functions leave them, and libc's destroy functions find nothing to
// do. Owners and queues survive a restart with the threads they name.
//
// Objects elsewhere are libc's own (its and libstdc++'s locks, a program's static ones). They begin
// anew with each process, so no thread may be queued on them: a green thread tries, and takes a nap
// while it fails. A static recursive or error-checking mutex, whose owner libc takes from the OS
// thread, is of the layout above without its queue; so is a static barrier, at which none can try.
//
// I1  An object is used by green threads only, or lies outside the space, is of libc's default kind
//     and is no barrier.
// I2  A waiter is on the queue of an object in the space only.
//
// Threads: green threads. Locks: kScheduler guards what lies in the space.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "runtime/threads/scheduler.h"
#include "runtime/threads/wait_queue.h"

namespace revenant::runtime {

struct GreenMutex {
  GreenThread* owner;
  std::uint32_t depth;
  std::uint32_t unused;
  std::int32_t kind;  // libc's: PTHREAD_MUTEX_NORMAL, _RECURSIVE, ... in the low bits
  std::uint32_t unused_too;
  WaitQueue waiters;

  static GreenMutex& of(pthread_mutex_t& mutex) { return reinterpret_cast<GreenMutex&>(mutex); }
  [[nodiscard]] int type() const { return kind & 3; }
};
static_assert(sizeof(GreenMutex) <= sizeof(pthread_mutex_t));
static_assert(offsetof(GreenMutex, kind) == offsetof(pthread_mutex_t, __data.__kind));

struct GreenCondition {
  WaitQueue waiters;

  static GreenCondition& of(pthread_cond_t& condition) {
    return reinterpret_cast<GreenCondition&>(condition);
  }
};
static_assert(sizeof(GreenCondition) <= offsetof(pthread_cond_t, __data.__wrefs));

struct GreenRwlock {
  std::int32_t readers;
  std::uint32_t unused;
  WaitQueue waiters;

  static GreenRwlock& of(pthread_rwlock_t& lock) { return reinterpret_cast<GreenRwlock&>(lock); }
};
static_assert(sizeof(GreenRwlock) <= offsetof(pthread_rwlock_t, __data.__flags));

struct GreenBarrier {
  std::uint32_t arrived;
  std::uint32_t round;
  std::uint32_t count;
  std::uint32_t unused;
  WaitQueue waiters;

  static GreenBarrier& of(pthread_barrier_t& barrier) {
    return reinterpret_cast<GreenBarrier&>(barrier);
  }
};
static_assert(sizeof(GreenBarrier) <= sizeof(pthread_barrier_t));

// Takes and releases a mutex for the calling green thread; 0 or an errno value, as pthread's.
int lock_green(pthread_mutex_t& mutex, const Deadline& deadline);
int try_lock_green(pthread_mutex_t& mutex);
int unlock_green(pthread_mutex_t& mutex);

}  // namespace revenant::runtime
