// What the memory of the space has done and holds, in figures.
//
//   FaultHandler, pager --> MemoryCounters --> MemoryManager::statistics(): a MemoryStatistics
//
// One list of figures in two forms: atomics, which the room counts in where things happen, and
// plain numbers, a copy. "Now" is a state, everything else a count since the space was opened.
// A figure whose mechanism is not at work stays 0.
//
// I1  The counters fill pages of their own, so that shared memory can be laid under them, and
//     another process then reads what this one counts.
// I2  A name stands for one meaning. Readers of another build know the names and their order only.
//
// Threads: any, in signal handlers too. Each figure is exact; two may be of different instants.
#pragma once

#include <atomic>
#include <cstdint>

#include <boost/describe.hpp>

#include "base/units.h"

namespace revenant::vm {

template <class Value>
struct MemoryFigures {
  // Now.
  Value budget_bytes{0};    // what the space may hold in memory; 0: no limit
  Value active_pages{0};    // in the space, counted under a budget only
  Value modified_pages{0};  // frames that were moved out and hold the only copy
  Value standby_pages{0};   // frames that were moved out and equal their image
  Value free_pages{0};      // frames without contents
  Value zeroed_pages{0};    // frames full of zeros
  Value parked_pages{0};    // images in the store that no snapshot refers to yet

  // Faults: touches of missing pages, by what they were answered with.
  Value faults{0};           // all of them
  Value zero_faults{0};      // zeros
  Value stored_faults{0};    // an image of the branch's head
  Value parked_faults{0};    // a parked image
  Value standby_faults{0};   // a frame rescued from standby
  Value modified_faults{0};  // a frame rescued from the modified list
  Value file_faults{0};      // a mapped file
  Value fatal{0};            // nothing: the program ends

  // Pages filled by faults, the touched ones and their neighbours.
  Value zero_pages{0};        // with zeros
  Value stored_pages{0};      // as the store says, which may be zeros
  Value file_pages{0};        // from mapped files
  Value raced_pages{0};       // not: another thread had filled them
  Value ahead_pages{0};       // of all filled, those that were not touched yet
  Value ahead_used_pages{0};  // of those, known to have been touched later

  Value refused_writes{0};  // first writes to protected pages that came as a signal

  // Paging out.
  Value trimmed_pages{0};        // moved out of the space
  Value trimmed_clean_pages{0};  // of those, given up at once
  Value written_pages{0};        // parked in the store by the modified writer
  Value frame_waits{0};          // threads that waited for a frame
  Value frame_wait_ns{0};        // for how long, together
  Value dropped_pages{0};        // standby frames that were freed
  Value excess_frames{0};        // taken beyond the budget, by threads that waited too long

  BOOST_DESCRIBE_CLASS(MemoryFigures, (),
                       (budget_bytes, active_pages, modified_pages, standby_pages, free_pages,
                        zeroed_pages, parked_pages, faults, zero_faults, stored_faults,
                        parked_faults, standby_faults, modified_faults, file_faults, fatal,
                        zero_pages, stored_pages, file_pages, raced_pages, ahead_pages,
                        ahead_used_pages, refused_writes, trimmed_pages, trimmed_clean_pages,
                        written_pages, frame_waits, frame_wait_ns, dropped_pages, excess_frames),
                       (), ())
};

using MemoryStatistics = MemoryFigures<std::uint64_t>;

struct alignas(base::kPageSize) MemoryCounters : MemoryFigures<std::atomic<std::uint64_t>> {  // I1
  [[nodiscard]] MemoryStatistics read() const noexcept;
};

}  // namespace revenant::vm
