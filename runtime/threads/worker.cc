#include "runtime/threads/worker.h"

#include <cxxabi.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "base/check.h"
#include "base/sanitizer.h"
#include "objects/allocation_domain.h"
#include "runtime/threads/scheduler.h"

namespace __cxxabiv1 {
// The head of what the ABI leaves opaque; both fields are fixed by the Itanium C++ ABI.
struct __cxa_eh_globals {
  void* caught_exceptions;
  unsigned int uncaught_exceptions;
};
}  // namespace __cxxabiv1

namespace revenant::runtime {
namespace {

thread_local Worker* worker_of_this_thread = nullptr;

ExceptionGlobals exchange_exceptions(const ExceptionGlobals& installed) {
  __cxxabiv1::__cxa_eh_globals& globals = *abi::__cxa_get_globals();
  const ExceptionGlobals previous{globals.caught_exceptions, globals.uncaught_exceptions};
  globals.caught_exceptions = installed.caught;
  globals.uncaught_exceptions = installed.uncaught;
  return previous;
}

}  // namespace

// Not inlined, so that no frame keeps the address of a thread-local over a switch.
__attribute__((noinline)) Worker* Worker::of_this_thread() {
  asm volatile("" ::: "memory");
  return worker_of_this_thread;
}

void Worker::run(Scheduler& scheduler, StackBounds host_stack) {
  scheduler_ = &scheduler;
  worker_of_this_thread = this;
  host_fiber_ = running_fiber();
  host_stack_ = host_stack;
  scheduler.enter_worker();
  for (;;) {
    GreenThread& thread = scheduler.next();
    const Departure departure = resume(thread);
    scheduler.settle(thread, departure);
    scheduler.stop_if_requested();
  }
}

// What a green thread owns of its OS thread's state is put in place, and taken out when it departs.
REVENANT_UNSANITIZED_SWITCH Departure Worker::resume(GreenThread& thread) {
  prepare_fiber(thread);
  const int host_errno = errno;
  const ExceptionGlobals host_exceptions = exchange_exceptions(thread.exceptions);
  objects::set_allocation_domain(thread.volatile_depth == 0 ? objects::AllocationDomain::kPersistent
                                                            : objects::AllocationDomain::kVolatile);
  errno = thread.error_number;
  current_ = &thread;  // I1
  const transfer_t back =
      switch_stack(thread.record.context, &thread, thread.stack(), thread.fiber);
  current_ = nullptr;  // I1
  thread.error_number = errno;
  errno = host_errno;
  objects::set_allocation_domain(objects::AllocationDomain::kVolatile);
  thread.exceptions = exchange_exceptions(host_exceptions);
  thread.record.context = back.fctx;
  return *static_cast<const Departure*>(back.data);
}

#ifdef REVENANT_TSAN
namespace {

// TSan's own code runs on green stacks and bears no signal: the pages that it is about to need are
// filled from here, where a fault falls into none of it.
void touch_stack(const GreenThread& thread) {
  constexpr std::ptrdiff_t kTouched = 64 * 1024;
  const auto* low = static_cast<const volatile char*>(thread.stack().low);
  const auto* top = static_cast<const volatile char*>(thread.record.context);
  for (const volatile char* at = std::max(low, top - kTouched); at < top; at += base::kPageSize) {
    (void)*at;
  }
}

}  // namespace
#endif

void Worker::prepare_fiber(GreenThread& thread) {
#ifdef REVENANT_TSAN
  if (thread.fiber_generation == scheduler_->generation()) return;  // I3 of GreenThread
  touch_stack(thread);
  thread.fiber = make_fiber(thread.record.created_in_generation != scheduler_->generation());
  thread.fiber_generation = scheduler_->generation();
#else
  (void)thread;
#endif
}

REVENANT_UNSANITIZED_SWITCH void Worker::depart(const Departure& departure) {
  leave_stack(departure, false);
}

void Worker::depart_finally(const Departure& departure) {
  leave_stack(departure, true);
  __builtin_unreachable();
}

REVENANT_UNSANITIZED_SWITCH Departure Worker::leave_stack(const Departure& departure, bool final) {
  Worker* left = of_this_thread();
  const Departure leaving = departure;
  const transfer_t back = switch_stack(left->host_context_, const_cast<Departure*>(&leaving),
                                       left->host_stack_, left->host_fiber_, final);
  // Another worker, in another process perhaps.
  of_this_thread()->host_context_ = back.fctx;
  return leaving;
}

// The bottom frame of every green thread. Nothing is caught here: an exception that gets this far
// finds no handler and ends the program with its stack still standing.
void green_thread_main(transfer_t from) {
  enter_new_stack();
  Worker* worker = Worker::of_this_thread();
  worker->host_context_ = from.fctx;
  Scheduler& scheduler = *worker->scheduler_;
  auto& self = *static_cast<GreenThread*>(from.data);
  self.body->run(self.stop.get_token());
  delete self.body;
  self.body = nullptr;
  end_specific_values(self);
  scheduler.finish_current();
}

}  // namespace revenant::runtime
