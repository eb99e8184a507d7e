// What the trackers have in common whose writes are refused once, by a signal.
//
//   protected page --write--> signal: its bit is set, writes allowed --harvest--> protected page
//
// I1  Under lock_, a page that allows writes has its bit set; one whose bit is set may be protected
//     all the same. A harvest protects first and clears the bits then, so a write that meets no
//     protection is in this harvest or the next.
// I2  A page that could not be protected is reported all the same and keeps its bit: it will be
//     reported again.
//
// Threads, locks and errors: as dirty_tracker.h says. No code under lock_ touches the space, so the
// handler never waits for what it interrupted.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_tracker.h"
#include "vm/page_bitmap.h"

namespace revenant::vm {

class TrapTracker : public DirtyTracker {
 public:
  // As measured: 4 to 6 us.
  [[nodiscard]] std::chrono::nanoseconds trap_cost() const noexcept override {
    return std::chrono::microseconds(5);
  }
  [[nodiscard]] base::Status harvest(std::span<const base::PageRun> excluded,
                                     DirtyList& out) override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] base::Status protect(base::PageRun run) override REVENANT_EXCLUDES(lock_);
  // What is clean costs nothing already.
  [[nodiscard]] base::Result<std::size_t> cool(std::size_t) override { return std::size_t{0}; }
  [[nodiscard]] bool resolve_write(base::PageNumber page) noexcept override
      REVENANT_EXCLUDES(lock_);

 protected:
  explicit TrapTracker(const Space& space) : space_(space) {}

  // Refuses writes to `run`, all of whose pages allow them. False where the kernel will not.
  virtual bool deny_writes(base::PageRun run) noexcept REVENANT_REQUIRES(lock_) = 0;
  // Allows writes to `page` if it is there, and to pages beside it if that is cheaper: which.
  // Nothing where the kernel will not.
  virtual std::optional<base::PageRun> allow_writes(base::PageNumber page) noexcept
      REVENANT_REQUIRES(lock_) = 0;

  const Space& space_;

  mutable base::Lock lock_{base::LockRank::kChunks};
  PageBitmap written_ REVENANT_GUARDED_BY(lock_){space_};

 private:
  // Protects the written pages of `pages` again, and appends them to `out` unless that is null.
  void take(base::PageRun pages, DirtyList* out) REVENANT_REQUIRES(lock_);
};

}  // namespace revenant::vm
