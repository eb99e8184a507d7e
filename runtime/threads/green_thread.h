// A green thread: its record, its stack, and what must travel with it.
//
//   stack slot   | guard | ......... stack grows down <- | 16 zero bytes | GreenThread |
//                low                                                            high
//
// The descriptor lies at the top of its own slot: an idle thread then costs one page. The zero
// bytes end a walk over the stack (unwinders stop at a zero return address).
//
// I1  state is changed by the functions of Scheduler only, under its lock.
// I2  references counts the thread itself, until it has finished, and each handle; the slot is
//     given back when it reaches zero.
// I3  fiber is of this process if and only if fiber_generation is this process's generation.
//
// Threads and locks: fields are guarded by the scheduler's lock, except those of the thread's own
// execution (exceptions, specific, error_number, volatile_depth, fiber), which its worker owns
// while it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include <boost/intrusive/set_hook.hpp>

#include "base/intrusive_list.h"
#include "revenant/detail/task.h"
#include "runtime/threads/context_switch.h"
#include "runtime/threads/specific_values.h"
#include "runtime/threads/thread_record.h"
#include "runtime/threads/wait_queue.h"

namespace revenant::runtime {

// The C++ runtime's per-thread exception state (Itanium C++ ABI, __cxa_eh_globals).
struct ExceptionGlobals {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

using TimerHook = boost::intrusive::set_member_hook<>;

struct GreenThread {
  ThreadRecord record;  // first: the tool finds records by the same address
  base::ListHook ready_hook;
  TimerHook timer_hook;
  Waiter* waiter = nullptr;  // what it is parked on, if anything
  std::uint32_t references = 1;
  WaitQueue joiners;
  detail::task* body = nullptr;
  std::stop_source stop;
  ExceptionGlobals exceptions;
  SpecificValues specific;
  int error_number = 0;
  std::uint32_t volatile_depth = 0;
  SanitizerFiber fiber;
  std::uint64_t fiber_generation = 0;

  // What the descriptor takes at the top of its slot.
  static constexpr std::size_t reserved_bytes();
  static GreenThread& of(ThreadRecord& record) { return reinterpret_cast<GreenThread&>(record); }
  [[nodiscard]] bool finished() const { return record.state == ThreadState::kFinished; }
  [[nodiscard]] StackBounds stack() const {
    return {record.stack_low, static_cast<std::size_t>(record.stack_high - record.stack_low)};
  }
};

constexpr std::size_t GreenThread::reserved_bytes() { return (sizeof(GreenThread) + 63) / 64 * 64; }

// Ready threads, in the order in which they will run.
using ReadyList = base::IntrusiveList<GreenThread, &GreenThread::ready_hook>;

}  // namespace revenant::runtime
