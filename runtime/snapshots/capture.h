// The memory of one instant, most of it copied while the program runs.
//
//   running:   harvest, copy           (again while it pays, at most kMaxRounds)   <--------.
//   stopped:   harvest; more than a stop should copy? --yes--> released: copy, running -----'
//              copy the rest and the hot pages (if need be, on two cores)
//   running:   the copies are written out, by whoever asked
//
// A stop copies a page in 0.3 us if a frame for it is at hand, and in ten times that if the frame
// is touched for the first time. A program that fills its heap between two safepoints may have
// dirtied any number of pages by the time it parks: such a stop is given up, and what it found is
// copied while the program runs.
//
// I1  What the copies hold is the memory of one instant: the last stop.
// I2  A page reported by a harvest is in the copies or in `owed_`, until learn() ends the epoch.
// I3  An epoch's number is drawn in its stop and never used again, committed or not: what the heap
//     carves after the stop carries a later number than every image of the epoch. A stop that is
//     given up draws none.
// I4  Pages that leave the space while a capture lasts count as modified: what equals the newest
//     image of a page is known again when it has ended (learn(), owe_again()).
// I5  A program that dirties pages faster than they are copied is stopped nevertheless, after
//     kMaxStops attempts.
//
// Memory: a copy of each page that changed (page_copies.h).
//
// Threads: all of it on the snapshotter's, but the step of the stop, which runs on the last worker
// to park while the snapshotter's thread waits. pauses() on any.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "objects/world.h"
#include "runtime/host/program_clock.h"
#include "runtime/snapshots/hot_set.h"
#include "runtime/snapshots/page_copies.h"
#include "runtime/snapshots/pause_log.h"
#include "runtime/snapshots/shared_copy.h"
#include "runtime/snapshots/volatile_check_linux.h"
#include "runtime/threads/runtime_state.h"
#include "runtime/threads/safepoint.h"
#include "vm/memory_manager.h"

namespace revenant::runtime {

class Capture {
 public:
  enum class Stop {
    kIfDirty,  // none where nothing was written
    kAlways,
    kForGood,  // the program does not go on after it
  };

  // What the stop itself writes to: it has to be in memory, always.
  [[nodiscard]] static std::array<base::PageRun, 2> own_pages();

  Capture(vm::MemoryManager& memory, Safepoint& safepoint, ProgramClock& clock)
      : memory_(memory), safepoint_(safepoint), clock_(clock) {}

  // Before any green thread runs. `pause_target`: what a stop should take at most. `check`, if it
  // is not null, looks through what each stop captures, while it lasts.
  [[nodiscard]] base::Status open(std::chrono::nanoseconds pause_target, VolatileCheck* check);

  // Held while pages are parked, which is not done in a stop, nor between it and the end of the
  // epoch: a page parked then would be newer than the instant that the epoch is of.
  base::Lock& parking_lock() REVENANT_RETURNS_LOCK(parking_lock_) { return parking_lock_; }
  [[nodiscard]] bool may_park() const REVENANT_REQUIRES(parking_lock_) { return !captured_; }

  // False when nothing was written, and kIfDirty asked for no stop then. While a stop waits for
  // workers, `serve` is called again and again, until it returns false: they may be waiting for
  // what only this thread can do.
  // Throws std::bad_alloc where the host refuses memory.
  [[nodiscard]] base::Result<bool> take(Stop kind, base::FunctionRef<bool()> serve);

  // What the last take() found. The released runs are sorted, and those of failed epochs are among
  // them.
  [[nodiscard]] const PageCopies& copies() const { return copies_; }
  [[nodiscard]] std::span<const base::PageRun> released() const { return released_.runs(); }
  [[nodiscard]] base::Epoch epoch() const { return epoch_; }
  [[nodiscard]] std::uint32_t threads() const { return threads_; }
  [[nodiscard]] const ProgramEnd& end() const { return end_; }
  // What was harvested and copied belongs to this round of the page lists, or an earlier one.
  [[nodiscard]] std::uint64_t round() const { return round_; }
  // The longest of its stops.
  [[nodiscard]] std::uint32_t pause_us() const { return pause_us_; }

  // Whether the stop itself writes to the page.
  [[nodiscard]] bool is_own(base::PageNumber page) const { return hot_.is_pinned(page); }
  // The page's copy differs from its image: it stays hot if it is, unless it has been freed. Where
  // traps are dear it may become so.
  void note_changed(base::PageNumber page);

  // Ends the epoch: what was captured is committed, or equal to its images. Pages that were hot and
  // are no longer are owed to the next.
  void learn();
  // What was captured counts as dirty again: it could not be committed.
  void owe_again();
  // Gives back what the copies took.
  void clear();

  // Whether the program was stopped for good.
  [[nodiscard]] bool frozen() const { return frozen_; }
  [[nodiscard]] const PauseLog& pauses() const { return pauses_; }

 private:
  [[nodiscard]] base::Status precopy();
  [[nodiscard]] bool is_forbidden(base::PageNumber page) const;
  [[nodiscard]] base::Status harvest();
  void copy_dirty(std::span<const base::PageRun> runs);
  void drop_parked();
  void end_epoch();
  [[nodiscard]] double spare_ns() const;
  [[nodiscard]] std::uint64_t small_residue() const;
  void stop(bool for_good, base::FunctionRef<bool()> serve);
  void stop_step();
  void copy_in_stop() REVENANT_REQUIRES(parking_lock_);
  void copy_rest();
  void note_heat();
  [[nodiscard]] bool protects_dearly();

  vm::MemoryManager& memory_;
  Safepoint& safepoint_;
  ProgramClock& clock_;
  double target_ns_ = 0;            // constant after open()
  VolatileCheck* check_ = nullptr;  // constant after open()

  base::Lock parking_lock_{base::LockRank::kParking};
  bool captured_ REVENANT_GUARDED_BY(parking_lock_) = false;  // and the epoch has not ended

  PageCopies copies_;
  SharedCopy hot_copy_;
  HotSet hot_{memory_.map()};
  vm::DirtyList dirty_;
  vm::DirtyList owed_;      // reported earlier, and not committed yet
  vm::DirtyList released_;  // runs given back, in this epoch and in those that failed before it
  vm::DirtyList newly_released_;
  vm::DirtyList parked_;  // written ahead since they were copied
  std::uint64_t round_ = 0;
  std::vector<base::PageRun> cooled_;
  base::Epoch epoch_;
  std::uint32_t threads_ = 0;
  ProgramEnd end_;
  std::uint32_t pause_us_ = 0;
  std::uint64_t residual_pages_ = 0;  // what the last stop copied beside the hot pages
  std::uint64_t stop_limit_ = 0;      // how many such pages this one may copy
  double copy_ns_ = 400;  // what a page copied in the stop costs on one core, as measured
  std::uint64_t trapped_pages_ = 0;  // reported since the capture before: their writes were traps
  std::int64_t taken_ns_ = 0;        // when the last capture was complete
  bool heats_changed_ = false;       // note_changed() heats pages that were copied ahead as well
  bool may_give_up_ = false;
  bool gave_up_ = false;
  bool frozen_ = false;
  base::Status step_status_;

  PauseLog pauses_;  // synchronises itself
};

}  // namespace revenant::runtime
