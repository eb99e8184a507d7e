// Which rule answers for a page: a few named ranges, found in constant time and without a lock.
//
// I1  Segments do not overlap; each lies in the space.
// I2  While the space is open a segment never changes or disappears: what a fault found stays true.
// I3  Entries [0, count_) are complete before count_ says so: a fault may run beside add().
//
// Lookup compares against at most kCapacity ranges, in the order of adding: owners add what faults
// most first. Threads: add() takes lock_ (rank kSegments); find() is safe in the fault handler.
// Errors: an overlapping segment or one too many is an Error of kUsage.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/ticket.h"

namespace revenant::vm {

struct Segment {
  const char* name = "";  // a literal: it is told in reports of faults
  base::PageRun pages;
  const TicketRule* rule = nullptr;
};

class SegmentTable {
 public:
  static constexpr std::size_t kCapacity = 16;

  [[nodiscard]] base::Status add(const Segment& added) REVENANT_EXCLUDES(lock_);
  // Forgets all segments; the space is closed.
  void clear() REVENANT_EXCLUDES(lock_);

  // The segment of `page`, or null.
  [[nodiscard]] const Segment* find(base::PageNumber page) const noexcept {
    const std::uint32_t count = count_.load(std::memory_order_acquire);  // I3
    for (std::uint32_t i = 0; i < count; ++i) {
      if (entries_[i].pages.contains(page)) return &entries_[i];
    }
    return nullptr;
  }

  // What `page` stands for; a page of no segment was never given out.
  [[nodiscard]] Ticket ticket_of(base::PageNumber page) const noexcept {
    const Segment* segment = find(page);
    return segment == nullptr ? Ticket::forbidden(ForbiddenReason::kUnmapped)
                              : segment->rule->ticket_of(page);
  }

 private:
  base::Lock lock_{base::LockRank::kSegments};
  std::atomic<std::uint32_t> count_{0};
  std::array<Segment, kCapacity> entries_{};
};

}  // namespace revenant::vm
