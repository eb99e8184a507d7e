// An OS thread that runs green threads.
//
//   run():  take the next ready thread --> switch to its stack --> it departs, saying why --> ...
//
// A green thread leaves its worker for one of the reasons of Departure, and the worker does on its
// own (volatile) stack what must not happen on the thread's: parking at a safepoint, calling
// outside, giving the stack back.
//
// I1  current() is set exactly while a green thread's stack is the running one.
// I2  A parked thread's context is saved before the scheduler's lock is released.
// I3  The worker's own stack, and with it its thread-local storage, lies at the same address in
//     every process: frames may hold addresses of errno and other thread-locals.
//
// Threads: each worker is used by its own OS thread only. Locks: takes the scheduler's.
#pragma once

#include <cstdint>

#include "runtime/threads/green_thread.h"

namespace revenant::runtime {

class Scheduler;

enum class DepartureKind : std::uint8_t {
  kYielded,    // ready again, behind the others
  kStopped,    // at a safepoint: ready again, before the others
  kParked,     // waits; the scheduler's lock is held and passes to the worker
  kCalling,    // has a call to be made outside
  kOffloaded,  // has a call to be made by another OS thread
  kFinished,   // for good; the scheduler's lock is held and passes to the worker
};

struct Departure {
  DepartureKind kind;
  void (*call)(void*) = nullptr;
  void* context = nullptr;
};

class Worker {
 public:
  // Runs green threads for ever. Called on the worker's OS thread, whose stack is `host_stack`.
  [[noreturn]] void run(Scheduler& scheduler, StackBounds host_stack);

  // Leaves the current green thread's stack; returns when some worker resumes it.
  static void depart(const Departure& departure);
  // The same, for good.
  [[noreturn]] static void depart_finally(const Departure& departure);

  [[nodiscard]] GreenThread* current() const { return current_; }
  [[nodiscard]] Scheduler& scheduler() const { return *scheduler_; }

  // The worker of the calling OS thread, or null. Never kept over a switch: a green thread may go
  // on on another OS thread.
  static Worker* of_this_thread();

 private:
  friend void green_thread_main(transfer_t from);
  static Departure leave_stack(const Departure& departure, bool final);
  Departure resume(GreenThread& thread);
  void prepare_fiber(GreenThread& thread);

  Scheduler* scheduler_ = nullptr;
  GreenThread* current_ = nullptr;
  fcontext_t host_context_ = nullptr;
  StackBounds host_stack_;
  SanitizerFiber host_fiber_;
};

}  // namespace revenant::runtime
