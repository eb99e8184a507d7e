// The rule of stacks: guards by arithmetic.
//
//   region (16 GiB, one slot size)
//   | guard | stack <--- grows down | guard | stack <--- | ... | rest, never given out |
//   slot 0                          slot 1
//
// One rule answers for every guard page below every stack, so a guard costs neither a mapping nor
// an entry. A region's slot size is set once, by the pool of stacks, and again after each restart
// from what the pool keeps in persistent memory.
//
// I1  A slot is a whole number of pages, larger than its guard.
// I2  A region's slot size goes from 0 (unused: all of it is forbidden) to its value, and stays.
//
// Threads: set_slot_size() by the pool under its own lock; everything else from anywhere, the fault
// handler included. Nothing here touches the space.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "vm/space.h"
#include "vm/ticket.h"

namespace revenant::vm {

inline constexpr base::PageCount kStackGuard = base::PageCount::holding(std::size_t{64} * 1024);

class StackSlotRule final : public TicketRule {
 public:
  // The pages of slot `slot` of `region`, its guard first.
  struct Slot {
    std::size_t region = 0;
    std::uint64_t slot = 0;
    base::PageRun guard;
    base::PageRun stack;
  };

  // Fixes a region's slot size, guard included.
  void set_slot_size(std::size_t region, base::PageCount slot);
  [[nodiscard]] base::PageCount slot_size(std::size_t region) const noexcept;
  [[nodiscard]] std::uint64_t slots_in(std::size_t region) const noexcept;
  [[nodiscard]] Slot slot_at(std::size_t region, std::uint64_t slot) const noexcept;

  // Pages of stacks are stored{not_before 0}; a pool that knows when a slot was last taken wraps
  // this rule and raises not_before, so that a slot used again does not read its old image.
  [[nodiscard]] Ticket ticket_of(base::PageNumber page) const noexcept override;

 private:
  std::array<std::atomic<std::uint64_t>, kStackRegions> slot_pages_{};
};

}  // namespace revenant::vm
