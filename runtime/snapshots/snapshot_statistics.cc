#include "runtime/snapshots/snapshot_statistics.h"

#include <algorithm>
#include <limits>

namespace revenant::runtime {

void SnapshotCounters::note_commit(const CommittedSnapshot& snapshot) {
  constexpr std::int64_t kMostUs = std::numeric_limits<std::uint32_t>::max();
  last.publish(snapshot);
  pauses_us.add(snapshot.pause_us);
  commits_us.add(static_cast<std::uint32_t>(std::min(snapshot.commit_ns / 1000, kMostUs)));
  failed_since.store(0, std::memory_order_relaxed);
  committed.fetch_add(1, std::memory_order_relaxed);
}

void SnapshotCounters::note_failure(std::string_view sentence, std::int64_t wall_ns) {
  FailedSnapshot failure{.wall_ns = wall_ns};
  sentence.copy(failure.sentence, sizeof failure.sentence - 1);
  last_failure.publish(failure);
  failed_since.fetch_add(1, std::memory_order_relaxed);
  failed.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace revenant::runtime
