// From a page to its range's ticket in at most three steps, however large the range or the space.
//
//   root: a slot a GiB   | ticket | node | none | ticket | ...
//                                    |
//   node: a slot a chunk             '-> | ticket | ticket | node | none | ...
//                                                             |
//   node: a slot a page                                       '-> | none | ticket | ticket | ...
//
// A slot says none, the number of the one ticket of all its pages, or the node that divides them.
// A range thus takes the few slots that its ends and its size ask for, 8 MiB on chunk bounds four,
// and never one for each page.
//
// I1  A slot that lies in the extent of one ticket names that ticket and has no node; a node that
//     names nothing is none.
// I2  A node's memory is never anything but a node. A node that leaves is used again only after
//     bury(): late readers find old slots in it, or after that new ones, and throw them away
//     (ticket_table.h).
// I3  Each slot changes by one store: a reader finds what its page stood for before, or after.
//
// Threads: at() from any, without a lock, in the fault handler too; everything else under the
// table's lock (kTickets). Errors: open() fails when addresses cannot be reserved.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "base/units.h"
#include "vm/space.h"
#include "vm/ticket_pool.h"
#include "vm/volatile_memory.h"

namespace revenant::vm::internal {

class TicketDirectory {
 public:
  // For the pages of `pages`, at most as many as the space has.
  [[nodiscard]] base::Status open(base::PageRun pages);
  [[nodiscard]] base::PageRun pages() const { return pages_; }

  // The ticket of `page`; 0 if it has none.
  [[nodiscard]] TicketNumber at(base::PageNumber page) const noexcept;
  // Pages around `page` that share its slot, and so its ticket or its having none.
  [[nodiscard]] base::PageRun slot_of(base::PageNumber page) const;

  // Has the pages of `run` name `number`; 0 takes their ticket away. `extent` holds `run`: it is
  // all that names `number`, or, for 0, `run` itself.
  void paint(base::PageRun run, base::PageRun extent, TicketNumber number);
  // Makes the nodes that left free to be used again.
  void bury();

  [[nodiscard]] std::uint64_t nodes() const { return nodes_in_use_; }
  [[nodiscard]] std::uint64_t used_bytes() const { return carved_ * sizeof(Node); }
  void check_invariants(const TicketPool& pool) const;

 private:
  static constexpr unsigned kFanoutShift = 9;
  static constexpr std::size_t kFanout = std::size_t{1} << kFanoutShift;
  static constexpr unsigned kRootShift = 2 * kFanoutShift;  // pages a slot of the root, as a shift
  static constexpr std::uint64_t kMostNodes = (kSpaceSize >> base::kChunkShift) + kFanout + 1;
  static_assert(kSpaceSize >> base::kPageShift == kFanout << kRootShift);

  // Bit 31 tells a node from a ticket.
  using Slot = std::atomic<std::uint32_t>;
  using Slots = std::array<Slot, kFanout>;
  static constexpr std::uint32_t kIsNode = std::uint32_t{1} << 31;
  static bool is_node(std::uint32_t value) { return (value & kIsNode) != 0; }

  struct alignas(64) Node {
    Slots slots;
    std::uint32_t used;  // slots that are not none
    std::uint32_t next;  // of the free, or of those that left
  };

  [[nodiscard]] Node& node(std::uint32_t value) const {
    return reinterpret_cast<Node*>(memory_.begin())[value & ~kIsNode];
  }
  [[nodiscard]] static std::size_t index_at(std::uint64_t offset, unsigned shift) {
    return offset >> shift & (kFanout - 1);
  }
  [[nodiscard]] std::uint64_t offset_of(base::PageNumber page) const {
    return (page - pages_.first).value;
  }
  // Of the slots that begin at `origin`; returns by how many more of them are used.
  int paint_slots(Slots& slots, base::PageNumber origin, unsigned shift, base::PageRun run,
                  base::PageRun extent, TicketNumber number);
  int paint_slot(Slot& slot, base::PageNumber origin, unsigned shift, base::PageRun run,
                 base::PageRun extent, TicketNumber number);
  [[nodiscard]] std::uint32_t make_node(std::uint32_t filling);
  void retire(std::uint32_t value, unsigned shift);
  std::uint32_t check_slots(const Slots& slots, base::PageNumber origin, unsigned shift,
                            const TicketPool& pool) const;

  base::PageRun pages_{};
  ReservedMemory memory_;
  Slots root_{};
  std::uint32_t carved_ = 0;
  std::uint32_t nodes_in_use_ = 0;
  // Their numbers plus one; 0 ends them.
  std::uint32_t free_ = 0;
  std::uint32_t retired_ = 0;
};

}  // namespace revenant::vm::internal
