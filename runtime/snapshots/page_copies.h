// The volatile copies of one epoch's pages.
//
//   pages, in order of first copy:  p7   p3   p9   ...
//   copies:                        [4K] [4K] [4K]  ...   one slot a page, copied anew in place
//
// I1  A page has at most one slot: copying it again overwrites the slot. Appended pages must
//     have none yet.
// I2  reserve(n) before a stop makes the next n copies touch resident memory only and allocate
//     nothing: a first touch would cost more than the copy.
// I3  Another thread sees copies after publish() only: they are written past the cache.
//
// Memory: one slot for each page of the epoch; trim() gives back what the epochs of late did not
// need.
//
// Threads: one at a time (the snapshotter, or the worker that runs the stop's step).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/result.h"
#include "base/units.h"
#include "runtime/snapshots/shared_copy.h"
#include "vm/guarded_copy.h"
#include "vm/pager.h"

namespace revenant::runtime {

class PageCopies {
 public:
  PageCopies() = default;
  ~PageCopies();
  PageCopies(const PageCopies&) = delete;
  PageCopies& operator=(const PageCopies&) = delete;

  // `outside` copies a page that is in memory, but not in the space; false: nor is it there.
  [[nodiscard]] base::Status open(vm::Pager& outside);

  void reserve(std::size_t more_pages);
  // Copies what the page holds now. A page that has gone meanwhile loses its slot.
  void copy(base::PageNumber page);
  // Copies what is planned, no page of which may have a copy yet: what hot pages need in a stop.
  // Takes up to twice as many slots as there are pages.
  void append(SharedCopy& planned);
  // Copies those pages of `run` again that have a slot.
  void refresh_run(const base::PageRun& run);
  // Before another thread reads the copies.
  void publish() { vm::publish_copies(); }
  void clear();
  // Once an epoch, when the copies are cleared.
  void trim();

  [[nodiscard]] bool empty() const { return pages_.empty(); }

  // visit(PageNumber, const std::byte* copy) for each page, until it returns false.
  template <class Visit>
  bool for_each(Visit visit) const {
    for (std::size_t slot = 0; slot < pages_.size(); ++slot) {
      if (pages_[slot].value == kVacant) continue;
      if (!visit(pages_[slot], address_of(slot))) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t kVacant = UINT64_MAX;
  [[nodiscard]] std::byte* address_of(std::size_t slot) const {
    return arena_ + slot * base::kPageSize;
  }
  [[nodiscard]] bool copy_page(base::PageNumber page, std::byte* frame) const;
  void fault_in(std::size_t slots);

  vm::Pager* outside_ = nullptr;
  std::byte* arena_ = nullptr;
  std::size_t resident_slots_ = 0;
  std::size_t needed_slots_ = 0;  // at most, since trim() last looked
  int epochs_ = 0;
  std::vector<base::PageNumber> pages_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> slots_;
};

}  // namespace revenant::runtime
