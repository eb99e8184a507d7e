// The figures of this process, as the public surface spells them.
#include "revenant/statistics.h"

#include "runtime/machine.h"

namespace revenant {

memory_statistics memory_statistics_now() noexcept {
  const vm::MemoryStatistics now = runtime::Machine::instance().memory().statistics();
  return {.budget_bytes = now.budget_bytes,
          .active_pages = now.active_pages,
          .modified_pages = now.modified_pages,
          .standby_pages = now.standby_pages,
          .free_pages = now.free_pages,
          .zeroed_pages = now.zeroed_pages,
          .parked_pages = now.parked_pages,
          .faults = now.faults,
          .zero_faults = now.zero_faults,
          .stored_faults = now.stored_faults,
          .parked_faults = now.parked_faults,
          .standby_faults = now.standby_faults,
          .modified_faults = now.modified_faults,
          .file_faults = now.file_faults,
          .zero_pages = now.zero_pages,
          .stored_pages = now.stored_pages,
          .file_pages = now.file_pages,
          .raced_pages = now.raced_pages,
          .ahead_pages = now.ahead_pages,
          .ahead_used_pages = now.ahead_used_pages,
          .refused_writes = now.refused_writes,
          .trimmed_pages = now.trimmed_pages,
          .trimmed_clean_pages = now.trimmed_clean_pages,
          .written_pages = now.written_pages,
          .frame_waits = now.frame_waits,
          .frame_wait_ns = now.frame_wait_ns,
          .dropped_pages = now.dropped_pages,
          .excess_frames = now.excess_frames};
}

}  // namespace revenant
