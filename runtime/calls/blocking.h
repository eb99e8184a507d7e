// Waiting as green threads do inside redirected functions.
//
// Callable from green threads only, and only where they may be parked: never from libc's inner
// names, under which libc's own locks are held.
#pragma once

#include <chrono>

#include "runtime/threads/green_thread.h"
#include "runtime/threads/scheduler.h"

namespace revenant::runtime {

// Whether calls on `descriptor` return at once: a regular file's, or a non-blocking one's.
bool never_blocks(int descriptor);

// Waits until `descriptor` is ready for `events` (of poll), if calls on it may block at all. False
// with errno set: EBADF when a restart took it away, EAGAIN when the socket's own timeout passed.
bool wait_until_ready(int descriptor, short events);

// When a call that receives gives up, by the socket's own timeout.
Deadline receive_deadline(int descriptor);

// Sleeps; the deadline survives a restart.
void sleep_until(Deadline deadline);
// A moment, for waits that nothing announces the end of.
void nap();

// The program's clock, and a deadline on it.
Deadline deadline_in(std::chrono::nanoseconds duration);

}  // namespace revenant::runtime
