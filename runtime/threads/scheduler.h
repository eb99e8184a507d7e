// Who runs next, who waits, and until when.
//
//   create --> ready list --> a worker --> waits on a queue or a deadline --> ready list --> ...
//
// The lists and queues are the world's own: this class holds nothing volatile that a restart would
// have to rebuild. Cooperative: a thread runs until it blocks, yields or ends.
//
// I1  An unfinished thread is exactly one of: running, on the ready list, waiting (its waiter on a
//     queue, or its deadline set, or both), in a call (on the list of calls).
// I2  A thread is on a timer queue exactly while it waits with a deadline.
// I3  While a gate is set, only threads created behind it run.
//
// Threads: any worker. Locks: lock() (kScheduler) guards all threads' states and every WaitQueue;
// functions named *_locked want it held.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/lock.h"
#include "runtime/host/program_clock.h"
#include "runtime/threads/futex_queues.h"
#include "runtime/threads/green_thread.h"
#include "runtime/threads/mailbox.h"
#include "runtime/threads/safepoint.h"
#include "runtime/threads/stack_pool.h"
#include "runtime/threads/timer_queue.h"
#include "runtime/threads/worker.h"

namespace revenant::runtime {

struct Deadline {
  std::int64_t ns = kNoDeadline;
  bool wall = false;  // counts wall time; otherwise the program's monotonic time
};

// Told, under the scheduler's lock and by a worker, how epochs ended.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  virtual void committed_locked(base::Epoch durable) = 0;
  virtual void failed_locked(base::Epoch failed) = 0;
};

// What a thread waits for, for those who look at it from outside.
struct WaitReason {
  WaitKind kind;
  const void* object = nullptr;
};

// The persistent half: lies in the world.
struct SchedulerState {
  ThreadTable threads;
  ReadyList ready;
  ReadyList calls;
  std::array<TimerQueue, 2> timers;  // program time, wall time
  FutexQueues futexes;
};

class Scheduler {
 public:
  Scheduler(StackPool& stacks, ProgramClock& clock, Safepoint& safepoint, Mailbox& mailbox)
      : stacks_(stacks), clock_(clock), safepoint_(safepoint), mailbox_(mailbox) {}
  void attach(SchedulerState& state, std::uint64_t generation, CommitListener& listener);

  base::Lock& lock() REVENANT_RETURNS_LOCK(lock_) { return lock_; }
  SchedulerState& state() { return *state_; }
  ProgramClock& clock() { return clock_; }

  // A new ready thread with one reference for the caller and one for itself; null when no stack is
  // to be had. Takes over `body`.
  GreenThread* create(detail::task* body, std::string_view name, std::size_t stack_bytes,
                      std::stop_source stop);
  void release_locked(GreenThread& thread);
  // From a green thread: returns once `thread`, to which the caller holds a reference, has ended.
  // False when the deadline came first.
  bool wait_for_end(GreenThread& thread, Deadline deadline = {});

  // From a green thread.
  void yield();
  void stop_here();
  // Parks on `waiter`'s queue, if it is on one, until notified or past the deadline; returns
  // whether notified. Called with the lock held, returns with it released.
  bool wait_locked(Waiter& waiter, Deadline deadline, WaitReason reason) REVENANT_RELEASE(lock_);
  // Makes `call` on the worker's own stack, counted as parked; `call` touches volatile memory only.
  // False when a restart cut it off: it may or may not have happened.
  bool call_outside(void (*call)(void*), void* context);
  // The same by another OS thread, while other green threads go on.
  bool call_offloaded(void (*call)(void*), void* context);
  [[noreturn]] void finish_current();

  // Notifies the first waiter, if any.
  bool notify_one_locked(WaitQueue& queue);
  void notify_all_locked(WaitQueue& queue);
  void notify_locked(Waiter& waiter);

  // For workers: counts one as running; parks it when a stop is requested; the thread to run next;
  // what to do with a thread that has departed.
  void enter_worker() { safepoint_.enter(); }
  void stop_if_requested() {
    if (safepoint_.requested()) safepoint_.park();
  }
  GreenThread& next();
  void settle(GreenThread& thread, const Departure& departure);
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // Only threads with an id of at least `first_id` run from now on; 0 lets all run.
  void set_gate(std::uint64_t first_id);
  // After a restart: calls that were under way are reported as cut off, to be made again.
  void interrupt_calls();
  // Runs offloaded calls: set once by the machine.
  void set_offloader(void (*offload)(GreenThread&, void (*call)(void*), void*)) {
    offload_ = offload;
  }

 private:
  GreenThread* first_ready_locked() REVENANT_REQUIRES(lock_);
  GreenThread* take_ready_locked() REVENANT_REQUIRES(lock_);
  void make_ready_locked(GreenThread& thread);
  void take_mail();
  void fire_timers_locked();
  void look_at_futexes_locked() REVENANT_REQUIRES(lock_);
  void sleep_until_work();
  bool depart_to_call(DepartureKind kind, void (*call)(void*), void* context);
  void call_for(GreenThread& thread, const Departure& departure);

  StackPool& stacks_;
  ProgramClock& clock_;
  Safepoint& safepoint_;
  Mailbox& mailbox_;
  base::Lock lock_{base::LockRank::kScheduler};
  SchedulerState* state_ = nullptr;
  std::uint64_t generation_ = 0;
  CommitListener* listener_ = nullptr;
  void (*offload_)(GreenThread&, void (*)(void*), void*) = nullptr;
  std::int64_t next_look_ns_ REVENANT_GUARDED_BY(lock_) = 0;
  std::uint64_t gate_id_ REVENANT_GUARDED_BY(lock_) = 0;
};

}  // namespace revenant::runtime
