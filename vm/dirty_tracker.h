// Which pages were written: harvest and re-arm, whatever the kernel offers.
//
//   written page --harvest--> in the list, protected again --write--> written page ...
//
// I1  A page whose content changed after a harvest began is in the next harvest, or in this one.
// I2  A page that is not present is never harvested: it has no content of its own.
// I3  A page in an excluded run is neither reported nor protected: its owner copies it in the stop.
// I4  A page may be reported though nothing changed: the content's hash decides, not this class.
//
// Cold chunks: a chunk that stayed clean for a while may be handed to the hardware (read-only), and
// is not scanned until its first write announces itself. Harvests then cost what is warm.
//
// Threads: harvest() and protect() by one thread at a time (the snapshotter); cool()
// by one thread, also beside a harvest; the note_ and resolve_ functions by any thread, in the
// fault handler. Errors: only what the kernel refuses; a harvest that fails has appended what it
// took, and what it did not take is still dirty.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_list.h"

namespace revenant::vm {

class DirtyTracker {
 public:
  virtual ~DirtyTracker() = default;

  // Appends the pages written since they were last harvested to `out` and protects them again,
  // `excluded` (sorted, disjoint) left alone. Allocates nothing in steady state.
  [[nodiscard]] virtual base::Status harvest(std::span<const base::PageRun> excluded,
                                             DirtyList& out) = 0;

  // Protects `run` without reporting it: its next write is seen, earlier ones are forgotten, so the
  // caller copies the pages afterwards. For pages that leave the hot set.
  [[nodiscard]] virtual base::Status protect(base::PageRun run) = 0;

  // Makes up to `max_chunks` chunks cold that stayed clean long enough; returns how many. Not for
  // the stop: it costs a system call a run of chunks.
  [[nodiscard]] virtual base::Result<std::size_t> cool(std::size_t max_chunks) = 0;

  // A page of `run` (within one chunk) is about to be filled: its chunk takes part in harvests.
  virtual void note_fill(base::PageRun run) noexcept = 0;
  // True when pages filled in this chunk must be filled clean (its first write announces itself).
  [[nodiscard]] virtual bool is_cold(base::PageNumber page) const noexcept = 0;
  // A write was refused by the hardware. True when it may now be tried again.
  [[nodiscard]] virtual bool resolve_write(base::PageNumber page) noexcept = 0;
};

enum class TrackerChoice { kAuto, kAsync, kSync, kMprotect };

// "auto", "async", "sync" or "mprotect".
[[nodiscard]] base::Result<TrackerChoice> parse_tracker(std::string_view name);

}  // namespace revenant::vm
