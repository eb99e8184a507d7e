// The runtime's own OS threads: workers and the housekeeping thread.
//
// A worker's stack, and the thread-local storage that libc puts at its top, lie at an address that
// is the same in every process: parked frames may hold addresses of errno and other thread-locals.
// These threads run until the process ends.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "objects/world.h"
#include "runtime/threads/context_switch.h"
#include "vm/memory_manager.h"

namespace revenant::runtime {

struct OsThreadOptions {
  const char* name;  // at most 15 characters, for ps and gdb
  unsigned slot;     // which of the fixed stacks
  objects::GuardValues guards;
  vm::MemoryManager* memory;
  void (*body)(void* context, StackBounds stack);  // does not return
  void* context;
};

// Starts a thread that adopts the guard values and the space and then runs `body`. Errors:
// kUnsupportedHost when there is no room for its stack or no thread to be had.
base::Status start_os_thread(const OsThreadOptions& options);

// Whether `address` lies where the stacks of these threads do, in every process.
bool is_on_fixed_stack(std::uintptr_t address);

// For a thread that has nothing left to do.
[[noreturn]] void sleep_for_ever();

}  // namespace revenant::runtime
