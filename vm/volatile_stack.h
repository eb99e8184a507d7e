// Running on a stack that is not in the space.
//
// Green threads' stacks lie in the space: a push may fault, and the fault handler takes the vm's
// locks. Code of theirs that takes one itself runs here meanwhile, on the alternate signal stack of
// its OS thread, which is free while no handler runs; a signal that comes nests below, as on any
// alternate stack.
//
// Threads: any. One that was not adopted runs on a stack of its own, which is not in the space.
#pragma once

#include <memory>
#include <type_traits>

namespace revenant::vm {

// Calls `function(argument)` with the stack that ends at `top`, aligned to 16.
extern "C" void revenant_vm_call_on_stack(void* top, void (*function)(void*), void* argument);

// Where the calling thread's alternate stack ends, if it runs on a stack of the space; else null.
[[nodiscard]] void* volatile_stack_if_needed() noexcept;

// Calls `function` where no push can fault. What it refers to on the caller's stack may be read.
template <class Function>
void on_volatile_stack(Function function) {
  void* const top = volatile_stack_if_needed();
  if (top == nullptr) return function();
  revenant_vm_call_on_stack(
      top, [](void* argument) { (*static_cast<Function*>(argument))(); }, std::addressof(function));
}

}  // namespace revenant::vm
