// What became of the snapshots of this process, for those who look at it from outside.
//
// I1  The counters fill pages of their own, so that shared memory can be laid under them.
//
// Threads: the notes by one thread (the snapshotter's); what is noted may be read by any, in other
// processes too.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/published.h"
#include "base/units.h"
#include "runtime/snapshots/pause_log.h"

namespace revenant::runtime {

struct CommittedSnapshot {
  std::uint64_t revision = 0;  // 0: none yet
  std::int64_t wall_ns = 0;
  std::uint64_t pages = 0;
  std::uint32_t pause_us = 0;
  std::int64_t commit_ns = 0;  // from the end of the stop until it was durable
};

struct FailedSnapshot {
  std::int64_t wall_ns = 0;
  char sentence[400] = {};  // cut to its room, ends with a zero
};

struct alignas(base::kPageSize) SnapshotCounters {  // I1
  std::atomic<std::uint64_t> committed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> failed_since{0};  // the last commit
  base::Published<CommittedSnapshot> last;
  base::Published<FailedSnapshot> last_failure;
  RecentTimes<1024> pauses_us;
  RecentTimes<1024> commits_us;

  void note_commit(const CommittedSnapshot& snapshot);
  void note_failure(std::string_view sentence, std::int64_t wall_ns);
};

}  // namespace revenant::runtime
