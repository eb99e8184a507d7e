// The records of tickets: 32 bytes each, found by number, reused under another generation.
//
//   extent    a packed run (packed_run.h)
//   content   kStored: not_before; kParked, kHostFile: origin
//   head      generation 12 | owner 8 | tier 4 | reason 4 | lone 1 | read-only 1 | kind + 1: 4
//   links     the owner's list; the list of the retired, or of the free
//
// A range's record is reached from the directory (ticket_directory.h), a lone page's by reference
// only, from the page's entry.
//
// I1  Number 0 is no ticket.
// I2  A record's content and head stay as they are from make() until bury() has followed retire();
//     its extent is one word, and may change meanwhile.
// I3  A record that is reused has another generation than any reference to it says, unless it was
//     reused 4,096 times in between.
//
// Threads: read() from any, without a lock; everything else under the table's lock (kTickets).
// Errors: open() fails when addresses cannot be reserved; a pool that is full aborts: it has room
// for a ticket for every page of the space.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "base/units.h"
#include "vm/page_entry.h"
#include "vm/ticket.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {

// Whose tickets end together: a segment.
struct TicketOwner {
  std::uint8_t index = 0;  // 0: nobody
  constexpr bool operator==(const TicketOwner&) const = default;
};

}  // namespace revenant::vm

namespace revenant::vm::internal {

using TicketNumber = std::uint32_t;

// A copy of a record.
struct TicketCopy {
  base::PageRun extent;
  Ticket ticket;
  TicketOwner owner;
  TicketReference reference;
  bool lone = false;
  bool in_use = false;
};

class TicketPool {
 public:
  static constexpr unsigned kNumberBits = 27;
  static_assert(kNumberBits <= TicketReference::kNumberBits);
  static constexpr std::size_t kMaxOwners = 256;

  [[nodiscard]] base::Status open();

  [[nodiscard]] TicketOwner add_owner();
  void remove_owner(TicketOwner owner);
  [[nodiscard]] TicketNumber make(TicketOwner owner, base::PageRun extent, const Ticket& ticket,
                                  bool lone);
  void set_extent(TicketNumber number, base::PageRun extent);
  // Takes the record from its owner; readers may still come by.
  void retire(TicketNumber number);
  // Makes what was retired free: no reader that begins from here on finds it.
  void bury();

  [[nodiscard]] TicketCopy read(TicketNumber number) const noexcept;
  [[nodiscard]] base::PageRun extent_of(TicketNumber number) const noexcept;

  // The owner's records, newest first: 0 ends them.
  [[nodiscard]] TicketNumber first_of(TicketOwner owner) const {
    return owners_[owner.index].first;
  }
  [[nodiscard]] TicketNumber after(TicketNumber number) const { return record(number).next; }
  [[nodiscard]] std::uint64_t count_of(TicketOwner owner) const {
    return owners_[owner.index].count;
  }
  [[nodiscard]] std::uint64_t used_bytes() const { return carved_ * sizeof(Record); }

 private:
  struct Record {
    std::atomic<std::uint64_t> extent;
    std::atomic<std::uint64_t> content;
    std::atomic<std::uint64_t> head;
    TicketNumber previous;
    TicketNumber next;
  };
  static_assert(sizeof(Record) == 32);
  struct Owner {
    TicketNumber first = 0;
    std::uint64_t count = 0;
    bool in_use = false;
  };

  [[nodiscard]] Record& record(TicketNumber number) const {
    return reinterpret_cast<Record*>(memory_.begin())[number];
  }
  [[nodiscard]] TicketNumber take_free();

  ReservedMemory memory_;
  TicketNumber carved_ = 1;  // I1; records from here on were never used
  TicketNumber free_ = 0;
  TicketNumber retired_ = 0;
  std::array<Owner, kMaxOwners> owners_{};
};

}  // namespace revenant::vm::internal
