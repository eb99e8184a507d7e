// Points in time as libc's functions give them, for the scheduler.
#pragma once

#include <time.h>

#include "runtime/scheduler.h"

namespace revenant::runtime {

// `time` on `clock`: the program's monotonic time, or wall time for any other clock.
Deadline deadline_at(clockid_t clock, const timespec& time);

}  // namespace revenant::runtime
