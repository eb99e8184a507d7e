// Switching stacks: Boost.Context's assembly, told to the sanitizers.
//
// A saved context is a stack pointer below which jump_fcontext left the callee-saved registers. It
// lies on the stack it describes, so a snapshot of the stack is a snapshot of the thread.
//
// Threads: a context may be resumed by any OS thread, by one at a time.
#pragma once

#include <cstddef>

#include <boost/context/detail/fcontext.hpp>

#include "base/sanitizer.h"

#ifdef REVENANT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef REVENANT_TSAN
#include <sanitizer/tsan_interface.h>
extern "C" void __tsan_func_entry(void*);
#define REVENANT_UNSANITIZED_SWITCH __attribute__((noinline, no_sanitize("thread")))
#else
#define REVENANT_UNSANITIZED_SWITCH __attribute__((noinline))
#endif

namespace revenant::runtime {

using boost::context::detail::fcontext_t;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

struct StackBounds {
  const void* low = nullptr;
  std::size_t size = 0;
};

// One side of a switch, as the sanitizers know it. Volatile: made anew in each process.
struct SanitizerFiber {
  void* tsan = nullptr;
};

// Leaves the running stack for `target`. `final`: the running stack is left for good.
// Returns what the side that comes back hands over.
REVENANT_UNSANITIZED_SWITCH inline transfer_t switch_stack(fcontext_t target, void* data,
                                                           [[maybe_unused]] StackBounds to,
                                                           [[maybe_unused]] SanitizerFiber fiber,
                                                           [[maybe_unused]] bool final = false) {
#ifdef REVENANT_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(final ? nullptr : &fake_stack, to.low, to.size);
#endif
#ifdef REVENANT_TSAN
  __tsan_switch_to_fiber(fiber.tsan, 0);
#endif
  const transfer_t back = boost::context::detail::jump_fcontext(target, data);
#ifdef REVENANT_ASAN
  // The saved fake stack belonged to the process that left: a restarted one has none.
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  return back;
}

// The first thing that runs on a new stack.
inline void enter_new_stack() {
#ifdef REVENANT_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

// A stack whose memory was used before holds poison of frames that are gone.
inline void unpoison_stack([[maybe_unused]] StackBounds stack) {
#ifdef REVENANT_ASAN
  __asan_unpoison_memory_region(stack.low, stack.size);
#endif
}

inline SanitizerFiber running_fiber() {
#ifdef REVENANT_TSAN
  return {__tsan_get_current_fiber()};
#else
  return {};
#endif
}

// The identity of a green thread for TSan. `resumed`: its frames were entered in an earlier
// process, and TSan's shadow call stack, which starts empty, must not underflow when they return.
SanitizerFiber make_fiber(bool resumed);
void destroy_fiber(SanitizerFiber fiber);

}  // namespace revenant::runtime
