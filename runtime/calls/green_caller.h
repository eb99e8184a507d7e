// Who calls a redirected function: a green thread's own code, or anything else.
//
// Redirected functions do something of their own for green threads only. Everybody else goes
// straight to libc: other OS threads, a worker on its own stack, and a signal handler that
// interrupted a green thread, which runs on another stack and must be neither bounced nor parked.
#pragma once

#include "runtime/threads/green_thread.h"

namespace revenant::runtime {

// The green thread on whose stack the caller runs, or null.
GreenThread* green_caller() noexcept;

// Whether `address` lies in memory whose pages may be missing or protected: the kernel, unlike the
// program's code, does not wait for them to come.
bool is_persistent(const void* address) noexcept;

}  // namespace revenant::runtime
