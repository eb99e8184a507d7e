// What this process's persistent memory has done and holds, in figures; `revenant status` shows the
// same of a program that runs.
#pragma once

#include <cstdint>

namespace revenant {

// Pages are of 4,096 bytes. What is not a state of now counts from the start of this process; a
// figure whose mechanism is not at work (no --memory: nothing is paged out) stays 0.
struct memory_statistics {
  // Now.
  std::uint64_t budget_bytes = 0;    // of --memory; 0: no limit
  std::uint64_t active_pages = 0;    // in memory and mapped; counted under a budget only
  std::uint64_t modified_pages = 0;  // moved out, not yet written to the store
  std::uint64_t standby_pages = 0;   // moved out, equal to what the store has
  std::uint64_t free_pages = 0;      // frames ready to be filled
  std::uint64_t zeroed_pages = 0;    // frames of zeros
  std::uint64_t parked_pages = 0;    // written to the store ahead of the next snapshot

  // Faults: touches of pages that were not there, by what they were answered with.
  std::uint64_t faults = 0;           // all of them
  std::uint64_t zero_faults = 0;      // new memory
  std::uint64_t stored_faults = 0;    // hard: read from the last snapshot's image
  std::uint64_t parked_faults = 0;    // hard: read from a parked image
  std::uint64_t standby_faults = 0;   // rescued from standby, without reading
  std::uint64_t modified_faults = 0;  // rescued before it was written, without reading
  std::uint64_t file_faults = 0;      // read from a mapped file

  // Pages that those faults filled: the touched ones and neighbours, ahead of their first touch.
  std::uint64_t zero_pages = 0;        // new memory
  std::uint64_t stored_pages = 0;      // as the store says, which may be zeros
  std::uint64_t file_pages = 0;        // from mapped files
  std::uint64_t raced_pages = 0;       // another thread had filled them meanwhile
  std::uint64_t ahead_pages = 0;       // neighbours among them
  std::uint64_t ahead_used_pages = 0;  // neighbours that are known to have been touched later

  std::uint64_t refused_writes = 0;  // first writes that came as a signal (trackers sync, mprotect)

  // Paging out.
  std::uint64_t trimmed_pages = 0;        // moved out
  std::uint64_t trimmed_clean_pages = 0;  // of those, given up at once
  std::uint64_t written_pages = 0;        // parked in the store
  std::uint64_t frame_waits = 0;          // times that a thread waited for a frame
  std::uint64_t frame_wait_ns = 0;        // for how long, together
  std::uint64_t dropped_pages = 0;        // standby frames that were freed
  std::uint64_t excess_frames = 0;        // taken beyond the budget, by threads that waited long

  // Faults that had to read an image.
  [[nodiscard]] std::uint64_t hard_faults() const noexcept { return stored_faults + parked_faults; }
  // Faults that found the page still in memory.
  [[nodiscard]] std::uint64_t rescued_faults() const noexcept {
    return standby_faults + modified_faults;
  }
};

// The figures as they are; all 0 before run(). Each is exact; two may be of different instants.
// Thread-safe, from green threads and others; touches no persistent memory but its result, and
// costs less than a microsecond.
[[nodiscard]] memory_statistics memory_statistics_now() noexcept;

}  // namespace revenant
