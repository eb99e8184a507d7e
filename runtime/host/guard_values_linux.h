// The stack canary and the pointer guard: words of the thread control block that compiled code and
// libc mix into frames and saved contexts.
//
// Their values differ in every process, so a frame parked in one would end in "stack smashing
// detected" in the next, and a longjmp in nothing. They are drawn once a store, live in its world,
// and are adopted by the runtime's own OS threads; the process's main thread keeps its own.
#pragma once

#include "objects/world.h"

namespace revenant::runtime {

// Random values for a new store; the canary's first byte is zero, as libc's is.
objects::GuardValues draw_guard_values();

// Makes the calling OS thread use `guards`. Inlined into a function without a stack protector that
// never returns: a frame entered before would fail its check.
__attribute__((always_inline)) inline void adopt_guard_values(const objects::GuardValues& guards) {
  // x86-64 psABI and glibc: tcbhead_t's stack_guard and pointer_guard.
  asm volatile("mov %0, %%fs:0x28" : : "r"(guards.stack_canary));
  asm volatile("mov %0, %%fs:0x30" : : "r"(guards.pointer_guard));
}

}  // namespace revenant::runtime
