// Points in time as libc's functions give them, for the scheduler.
#pragma once

#include <time.h>

#include <cstdint>

#include "runtime/threads/scheduler.h"

namespace revenant::runtime {

// `time` on `clock`: the program's monotonic time, or wall time for any other clock.
Deadline deadline_at(clockid_t clock, const timespec& time);
// `duration` from now, of the program's time.
Deadline deadline_in(const timespec& duration);

// How long it is until `deadline`, 0 when it has passed; kNoDeadline stays.
std::int64_t left_ns(const Deadline& deadline);
inline bool is_over(const Deadline& deadline) { return left_ns(deadline) == 0; }

}  // namespace revenant::runtime
