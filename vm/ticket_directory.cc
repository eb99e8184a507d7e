#include "vm/ticket_directory.h"

#include <algorithm>

#include "base/check.h"

namespace revenant::vm::internal {
namespace {

constexpr base::PageRun run_of(base::PageNumber first, unsigned shift) {
  return {first, {std::uint64_t{1} << shift}};
}

constexpr bool holds(base::PageRun outer, base::PageRun inner) {
  return inner.first >= outer.first && inner.end() <= outer.end();
}

}  // namespace

base::Status TicketDirectory::open(base::PageRun pages) {
  REVENANT_CHECK(pages.count <= kSpaceRun.count && pages.count.value % base::kPagesPerChunk == 0 &&
                     pages.first.value % base::kPagesPerChunk == 0,
                 "%zu pages", pages.count.value);
  pages_ = pages;
  return memory_.reserve(kMostNodes * sizeof(Node), "the tickets' directory");
}

TicketNumber TicketDirectory::at(base::PageNumber page) const noexcept {
  const std::uint64_t offset = offset_of(page);
  std::uint32_t value = root_[offset >> kRootShift].load(std::memory_order_acquire);
  for (unsigned shift = kFanoutShift; is_node(value); shift = 0) {
    value = node(value).slots[index_at(offset, shift)].load(std::memory_order_acquire);
    if (shift == 0) break;
  }
  return is_node(value) ? 0 : value;  // a node below the last level: nonsense of a late reader's
}

base::PageRun TicketDirectory::slot_of(base::PageNumber page) const {
  const std::uint64_t offset = offset_of(page);
  const auto around = [&](unsigned shift) {
    return run_of(pages_.first + base::PageCount{offset >> shift << shift}, shift);
  };
  const std::uint32_t coarse = root_[offset >> kRootShift].load(std::memory_order_relaxed);
  if (!is_node(coarse)) return around(kRootShift);
  const Slot& middle = node(coarse).slots[index_at(offset, kFanoutShift)];
  return around(is_node(middle.load(std::memory_order_relaxed)) ? 0 : kFanoutShift);
}

void TicketDirectory::paint(base::PageRun run, base::PageRun extent, TicketNumber number) {
  REVENANT_CHECK(holds(pages_, extent) && holds(extent, run), "%zu pages from page %#zx",
                 run.count.value, run.first.value);
  if (run.count.value != 0) paint_slots(root_, pages_.first, kRootShift, run, extent, number);
}

int TicketDirectory::paint_slots(Slots& slots, base::PageNumber origin, unsigned shift,
                                 base::PageRun run, base::PageRun extent, TicketNumber number) {
  const base::PageNumber from = std::max(run.first, origin);
  const base::PageNumber end = std::min(run.end(), origin + base::PageCount{kFanout << shift});
  const std::uint64_t last = ((end - origin).value - 1) >> shift;
  int change = 0;
  for (std::uint64_t i = (from - origin).value >> shift; i <= last; ++i) {
    const base::PageNumber first = origin + base::PageCount{i << shift};
    change += paint_slot(slots[i], first, shift, run, extent, number);
  }
  return change;
}

int TicketDirectory::paint_slot(Slot& slot, base::PageNumber origin, unsigned shift,
                                base::PageRun run, base::PageRun extent, TicketNumber number) {
  const std::uint32_t before = slot.load(std::memory_order_relaxed);
  std::uint32_t after = number;
  if (!holds(extent, run_of(origin, shift))) {
    if (before == number) return 0;
    after = is_node(before) ? before : make_node(before);
    Node& inner = node(after);
    inner.used += static_cast<std::uint32_t>(
        paint_slots(inner.slots, origin, shift - kFanoutShift, run, extent, number));
    if (inner.used == 0) after = 0;  // I1
  }
  if (after != before) slot.store(after, std::memory_order_release);  // I3: with all that is in it
  if (is_node(before) && after != before) retire(before, shift - kFanoutShift);
  return (after != 0 ? 1 : 0) - (before != 0 ? 1 : 0);
}

std::uint32_t TicketDirectory::make_node(std::uint32_t filling) {
  std::uint32_t number = carved_;
  if (free_ != 0) {
    number = free_ - 1;
    free_ = node(number).next;
  } else {
    REVENANT_CHECK(carved_ < kMostNodes, "the directory of tickets has used all of its nodes");
    ++carved_;
  }
  ++nodes_in_use_;
  Node& made = node(number);
  for (Slot& slot : made.slots) slot.store(filling, std::memory_order_release);
  made.used = filling == 0 ? 0 : kFanout;
  return number | kIsNode;
}

void TicketDirectory::retire(std::uint32_t value, unsigned shift) {
  Node& gone = node(value);
  if (shift != 0) {
    for (const Slot& slot : gone.slots) {
      const std::uint32_t inner = slot.load(std::memory_order_relaxed);
      if (is_node(inner)) retire(inner, shift - kFanoutShift);
    }
  }
  gone.next = retired_;
  retired_ = (value & ~kIsNode) + 1;
  --nodes_in_use_;
}

void TicketDirectory::bury() {
  while (retired_ != 0) {
    Node& gone = node(retired_ - 1);
    const std::uint32_t number = retired_;
    retired_ = gone.next;
    gone.next = free_;
    free_ = number;
  }
}

void TicketDirectory::check_invariants(const TicketPool& pool) const {
  check_slots(root_, pages_.first, kRootShift, pool);
}

std::uint32_t TicketDirectory::check_slots(const Slots& slots, base::PageNumber origin,
                                           unsigned shift, const TicketPool& pool) const {
  std::uint32_t used = 0;
  for (std::size_t i = 0; i < kFanout; ++i) {
    const std::uint32_t value = slots[i].load(std::memory_order_relaxed);
    const base::PageRun covered = run_of(origin + base::PageCount{i << shift}, shift);
    used += value != 0 ? 1 : 0;
    if (is_node(value)) {
      const Node& inner = node(value);
      const std::uint32_t found =
          check_slots(inner.slots, covered.first, shift - kFanoutShift, pool);
      REVENANT_CHECK(found == inner.used && found != 0, "%u of %u slots", found, inner.used);  // I1
      const std::uint32_t first = inner.slots[0].load(std::memory_order_relaxed);
      REVENANT_CHECK(is_node(first) || first == 0 || !holds(pool.extent_of(first), covered),
                     "one ticket, and a node at page %#zx", covered.first.value);  // I1
    } else if (value != 0) {
      REVENANT_CHECK(holds(pool.extent_of(value), covered), "a slot beyond its ticket at page %#zx",
                     covered.first.value);  // I1
    }
  }
  return used;
}

}  // namespace revenant::vm::internal
