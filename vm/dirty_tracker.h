// The pages of the space as the kernel lets us see them: filled when they are missing, told of when
// they were written. Each tracker is one way of the kernel's to do both.
//
//   missing --fill--> clean --write--> written --harvest--> in the list, and clean again ...
//
// Under a memory budget pages also leave the space, and come back as they were:
//
//   clean or written --evict--> missing, in the frame pool --restore--> clean, or written
//
//   tracker    needs                  a first write costs                  harvests cost
//   async      userfaultfd, 6.7       a fault that the kernel resolves     a scan of warm chunks
//   sync       userfaultfd, 5.7       a signal, and two system calls       what was written
//   mprotect   nothing                the same, and mappings (65,530)      what was written
//
// I1  A page whose content changed after a harvest began is in the next harvest, or in this one.
// I2  A page that is not present is never harvested: it has no content of its own.
// I3  A page in an excluded run is neither reported nor protected: its owner copies it in the stop.
// I4  A page may be reported though nothing changed: the content's hash decides, not this class.
// I5  No thread sees a page that is filled in part.
// I6  No write is lost by an evict(): it is in what lies in the pool, or finds the page missing.
//
// Threads: try_out(), attach() and close() by one thread, while no other uses the space; harvest()
// and protect() by one thread at a time (the snapshotter); cool() by one thread, also beside a
// harvest; classify(), resolve_write(), fill(), evict() and restore() by any thread, in the fault
// handler; discard() by any. Locks: kChunks, taken and given back within each call. Errors: only
// what the kernel refuses; a harvest that fails has appended what it took, and what it did not take
// is still dirty.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "vm/access.h"
#include "vm/dirty_list.h"
#include "vm/frame_pool.h"
#include "vm/page_fill.h"
#include "vm/space.h"

namespace revenant::vm {

class DirtyTracker {
 public:
  virtual ~DirtyTracker() = default;

  // "async", "sync" or "mprotect".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // What the program pays where a first write raises a signal; zero where none does.
  [[nodiscard]] virtual std::chrono::nanoseconds trap_cost() const noexcept { return {}; }
  // How the space is to be mapped for it.
  [[nodiscard]] virtual Backing backing() const noexcept = 0;
  // True when the kernel serves it as an unprivileged process's: faults of user code only.
  [[nodiscard]] virtual bool user_mode_only() const noexcept { return false; }

  // Finds out on scratch memory whether the host does what this tracker needs: by trying, since
  // distributions carry features back and containers take them away.
  [[nodiscard]] virtual base::Status try_out() = 0;
  // Tracks the windows of the space, which is open and empty. After try_out() only.
  [[nodiscard]] virtual base::Status attach() = 0;
  virtual void close() = 0;

  // Appends the pages written since they were last harvested to `out` and protects them again,
  // `excluded` (sorted, disjoint) left alone. Allocates nothing in steady state.
  [[nodiscard]] virtual base::Status harvest(std::span<const base::PageRun> excluded,
                                             DirtyList& out) = 0;

  // Protects `run` without reporting it: its next write is seen, earlier ones are forgotten, so the
  // caller copies the pages afterwards. For pages that leave the hot set.
  [[nodiscard]] virtual base::Status protect(base::PageRun run) = 0;

  // Makes up to `max_chunks` chunks cheaper to harvest that stayed clean long enough; returns how
  // many. Not for the stop: it costs a system call a run of chunks.
  [[nodiscard]] virtual base::Result<std::size_t> cool(std::size_t max_chunks) = 0;

  // What a refused access to a page of the space asks for.
  [[nodiscard]] virtual Trap classify(const Access& access) const noexcept = 0;
  // Trap::kWrite: notes the write. True when it may now be tried again.
  [[nodiscard]] virtual bool resolve_write(base::PageNumber page) noexcept = 0;
  // Trap::kMissing: fills the missing pages of `run` (within one chunk) from as many at `source`;
  // those present stay as they are.
  [[nodiscard]] virtual Filled fill(base::PageRun run, const std::byte* source,
                                    FillMode mode) noexcept = 0;
  // Whether whole chunks should be filled at once: lone pages have become too dear.
  [[nodiscard]] virtual bool wants_whole_chunks() const noexcept { return false; }

  // Drops what the pages of `run` hold: each is missing, or reads as zeros and may be written.
  virtual void discard(base::PageRun run) noexcept = 0;

  // Whether pages should come and go by blocks of the vm_map, with what lies beside them.
  [[nodiscard]] virtual bool prefers_blocks() const noexcept { return false; }
  // Pages may leave the space for `pool` and come back. After attach().
  [[nodiscard]] virtual base::Status attach_pool(const FramePool& pool) = 0;
  // Takes the present pages of `run` (within one block of the vm_map) out of the space, as they are
  // at one instant each, to their places in the pool, which are empty. Says which are there now: a
  // bit a page. One that the kernel will not let go stays where it is.
  [[nodiscard]] virtual PageBits evict(base::PageRun run) noexcept = 0;
  // The same for pages that nobody can write and that are to be had elsewhere: they go nowhere.
  [[nodiscard]] virtual PageBits drop_sealed(base::PageRun run) noexcept {
    discard(run);
    return all_of(run);
  }
  // Puts pages of `run` back from the pool: moved, or copied if that is preferred or the only way.
  // They count as written; those that are copied only if `mode` is not kClean, which says that they
  // equal what was last reported. A page that does not come, for want of memory or mappings, stays
  // in the pool.
  struct Restored {
    PageBits came = 0;    // those that are in the space now
    PageBits copied = 0;  // of those, the ones whose places in the pool are still to be discarded
  };
  enum class Back : std::uint8_t { kMoved, kCopied };
  [[nodiscard]] virtual Restored restore(base::PageRun run, FillMode mode, Back way) noexcept = 0;
};

enum class TrackerChoice { kAuto, kAsync, kSync, kMprotect };

// "auto", "async", "sync" or "mprotect".
[[nodiscard]] base::Result<TrackerChoice> parse_tracker(std::string_view name);

}  // namespace revenant::vm
