#include "vm/stack_slots.h"

#include "base/check.h"

namespace revenant::vm {
namespace {

constexpr std::uint64_t kRegionPages = kStackRegionSize / base::kPageSize;

}  // namespace

void StackSlotRule::set_slot_size(std::size_t region, base::PageCount slot) {
  REVENANT_CHECK(region < kStackRegions && slot > kStackGuard && slot.value <= kRegionPages,
                 "region %zu, %zu pages", region, slot.value);  // I1
  const std::uint64_t before = slot_pages_[region].exchange(slot.value, std::memory_order_release);
  REVENANT_CHECK(before == 0 || before == slot.value, "region %zu had slots of %zu pages", region,
                 before);  // I2
}

base::PageCount StackSlotRule::slot_size(std::size_t region) const noexcept {
  return {slot_pages_[region].load(std::memory_order_acquire)};
}

std::uint64_t StackSlotRule::slots_in(std::size_t region) const noexcept {
  const base::PageCount slot = slot_size(region);
  return slot.value == 0 ? 0 : kRegionPages / slot.value;
}

StackSlotRule::Slot StackSlotRule::slot_at(std::size_t region, std::uint64_t slot) const noexcept {
  const base::PageCount size = slot_size(region);
  REVENANT_CHECK(slot < slots_in(region), "slot %zu of region %zu", slot, region);
  const base::PageNumber first =
      kStackRun.first + base::PageCount{region * kRegionPages + slot * size.value};
  const base::PageNumber stack = first + kStackGuard;
  return {region, slot, {first, kStackGuard}, {stack, first + size - stack}};
}

Ticket StackSlotRule::ticket_of(base::PageNumber page) const noexcept {
  const std::uint64_t offset = (page - kStackRun.first).value;
  const std::size_t region = offset / kRegionPages;
  if (region >= kStackRegions) return Ticket::forbidden(ForbiddenReason::kUnmapped);
  const std::uint64_t slot_pages = slot_size(region).value;
  const std::uint64_t in_region = offset % kRegionPages;
  if (slot_pages == 0 || in_region / slot_pages >= kRegionPages / slot_pages) {
    return Ticket::forbidden(ForbiddenReason::kUnmapped);
  }
  if (in_region % slot_pages < kStackGuard.value) {
    return Ticket::forbidden(ForbiddenReason::kGuard);
  }
  return Ticket::stored();
}

}  // namespace revenant::vm
