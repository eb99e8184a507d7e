// Which rule answers for a page: a few named ranges, found in constant time and without a lock.
//
// I1  Segments do not overlap; each lies in the space.
// I2  A segment stays as it is until it ends, and ends when no thread touches its pages any more:
//     what a fault found stays true.
// I3  An entry is complete before its run says so: a fault may run beside add() and remove(). A run
//     is one word, and a page lies in none that is being put together.
//
// A segment owns tickets (ticket_table.h): those of its ranges, if its rule keeps them, and those
// of its lone pages. They end with it.
//
// Lookup compares against at most kCapacity ranges, in the order of adding: owners add what faults
// most first. Threads: add(), remove() and clear() take lock_ (rank kSegments); find() is safe in
// the fault handler. Errors: an overlapping segment or one too many is an Error of kUsage.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/packed_run.h"
#include "vm/ticket.h"
#include "vm/ticket_pool.h"

namespace revenant::vm {

enum class SegmentAccess : std::uint8_t {
  kReadWrite,
  kReadOnly,  // whole chunks; the hardware refuses writes, too, so that no tracker looks for any
};

struct Segment {
  const char* name = "";  // a literal: it is told in reports of faults
  base::PageRun pages;
  const TicketRule* rule = nullptr;
  SegmentAccess access = SegmentAccess::kReadWrite;
  TicketOwner owner;
};

class SegmentTable {
 public:
  static constexpr std::size_t kCapacity = 16;

  [[nodiscard]] base::Status add(const Segment& added) REVENANT_EXCLUDES(lock_);
  // Forgets the segment that begins at `first`, and says what it was.
  Segment remove(base::PageNumber first) REVENANT_EXCLUDES(lock_);
  // Forgets all segments; the space is closed.
  void clear() REVENANT_EXCLUDES(lock_);

  // The segment of `page`, or null.
  [[nodiscard]] const Segment* find(base::PageNumber page) const noexcept {
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t run = entries_[i].run.load(std::memory_order_acquire);  // I3
      if (unpack(run).contains(page)) return &entries_[i].segment;
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
  struct Entry {
    std::atomic<std::uint64_t> run{0};  // no pages: the entry is free
    Segment segment;
  };

  base::Lock lock_{base::LockRank::kSegments};
  std::atomic<std::uint32_t> count_{0};  // of the entries that were ever used since clear()
  std::array<Entry, kCapacity> entries_{};
};

}  // namespace revenant::vm
