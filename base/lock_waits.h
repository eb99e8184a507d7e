// How often and how long threads waited for locks, by rank, since the process began.
//
//   Lock::lock() --free--> (nothing is counted)
//        '--held--> contended --taken while spinning--> (nothing more)
//                       '--asleep--> slept, and for how long
//
// The spin before a sleep takes a few microseconds at most and is not timed: asking for the time
// would cost as much as the wait.
//
// I1  A lock that is free when it is asked for counts nothing, and costs what it would without.
// I2  The counters fill pages of their own, so that shared memory can be laid under them.
//
// Threads: any, in signal handlers too. Each count is exact.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/lock.h"
#include "base/units.h"

namespace revenant::base {

template <class Value>
struct LockWaitFigures {
  Value contended{0};  // acquisitions that found the lock held
  Value slept{0};      // of those, ones that went to sleep
  Value slept_ns{0};   // for how long, together
};

using LockWaits = LockWaitFigures<std::uint64_t>;

struct alignas(kPageSize) LockCounters {  // I2
  std::array<LockWaitFigures<std::atomic<std::uint64_t>>, kLockRanks> of_rank;

  [[nodiscard]] LockWaits read(LockRank rank) const noexcept;
};

// The process's.
LockCounters& lock_counters();

}  // namespace revenant::base
