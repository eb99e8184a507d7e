// Runs of pages that must be looked at: trackers append, the snapshotter walks.
//
// The list is a set of pages written as runs. Neighbours appended in ascending order melt into one
// run. When a list has doubled since it was last sorted, append() sorts it and merges what
// overlaps, so that its length stays within twice the least number of runs that say the same.
//
// I1  A page appended since the last clear() is in one of runs().
// I2  No allocator is involved: the runs lie in a reserved range of their own that the kernel fills
//     as it is used and that clear() keeps. In steady state append() makes no system call, and it
//     may be called where malloc may not.
// I3  The range holds the most runs that the space can be cut into: it cannot overflow.
//
// Not synchronised: its owner's lock guards it. Errors: open() fails where the host refuses the
// reservation.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/result.h"
#include "base/units.h"

namespace revenant::vm {

class DirtyList {
 public:
  DirtyList() = default;
  ~DirtyList();
  DirtyList(DirtyList&& other) noexcept { swap(other); }
  DirtyList& operator=(DirtyList&& other) noexcept { return swap(other), *this; }

  // Reserves the range. A list that is not open is empty and may not be appended to.
  [[nodiscard]] base::Status open();

  void append(base::PageRun run);
  void append_all(const DirtyList& other);
  void clear() { size_ = 0; }
  // Sorts the runs by address and merges those that touch or overlap.
  void normalise();

  [[nodiscard]] std::span<const base::PageRun> runs() const { return {runs_, size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Pages in all runs; pages of runs that overlap count more than once.
  [[nodiscard]] base::PageCount pages() const;

  void swap(DirtyList& other) noexcept {
    std::swap(runs_, other.runs_);
    std::swap(size_, other.size_);
    std::swap(sort_at_, other.sort_at_);
  }

 private:
  static constexpr std::size_t kFirstSort = 1 << 16;

  base::PageRun* runs_ = nullptr;
  std::size_t size_ = 0;
  std::size_t sort_at_ = kFirstSort;  // the length at which append() normalises
};

}  // namespace revenant::vm
