#include "runtime/threads/stack_pool.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "vm/space.h"

namespace revenant::runtime {
namespace {

// Free slots that keep their frames: threads that come and go reuse them without a fault.
constexpr std::uint32_t kWarmSlots = 64;

std::uintptr_t region_address(std::size_t region) {
  return vm::kStackRun.first.address() + region * vm::kStackRegionSize;
}

}  // namespace

void StackPool::attach(StackRegions& regions, vm::MemoryManager& memory,
                       vm::StackSlotRule& guards) {
  regions_ = &regions;
  memory_ = &memory;
  guards_ = &guards;
  for (std::size_t region = 0; region < StackRegions::kRegions; ++region) {
    if (regions.regions[region].slot_bytes != 0) publish_slot_size(region);
  }
}

StackSlot StackPool::allocate(std::size_t bytes) {
  if (bytes > kMaxStackBytes) return {};
  const std::uint64_t slot_bytes =
      std::bit_ceil(std::max(bytes, kMinStackBytes)) + vm::kStackGuard.bytes();
  StackRegions::Region* region = region_for(slot_bytes);
  if (region == nullptr) return {};
  const auto index = static_cast<std::size_t>(region - regions_->regions.data());
  std::uint32_t slot = 0;
  if (region->first_free != 0) {
    slot = region->first_free - 1;
    region->first_free = next_free(index, slot);
    --region->free_slots;
  } else {
    slot = region->used_slots++;
  }
  auto* begin = reinterpret_cast<std::byte*>(region_address(index) + slot * slot_bytes);
  return {begin + vm::kStackGuard.bytes(), begin + slot_bytes};
}

void StackPool::free(StackSlot slot) {
  const std::uintptr_t offset =
      reinterpret_cast<std::uintptr_t>(slot.low) - vm::kStackRun.first.address();
  const std::size_t index = offset / vm::kStackRegionSize;
  REVENANT_CHECK(index < StackRegions::kRegions);
  StackRegions::Region& region = regions_->regions[index];
  const auto number = static_cast<std::uint32_t>(offset % vm::kStackRegionSize / region.slot_bytes);
  if (region.free_slots >= kWarmSlots) {
    memory_->release({base::PageNumber::of(slot.low),
                      base::PageCount::holding(static_cast<std::uint64_t>(slot.high - slot.low))});
  }
  next_free(index, number) = region.first_free;
  region.first_free = number + 1;
  ++region.free_slots;
}

StackRegions::Region* StackPool::region_for(std::uint64_t slot_bytes) {
  const std::uint64_t slots = vm::kStackRegionSize / slot_bytes;
  for (StackRegions::Region& region : regions_->regions) {
    if (region.slot_bytes == 0) {
      region.slot_bytes = slot_bytes;  // I1
      publish_slot_size(static_cast<std::size_t>(&region - regions_->regions.data()));
    }
    if (region.slot_bytes != slot_bytes) continue;
    if (region.first_free != 0 || region.used_slots < slots) return &region;
  }
  return nullptr;
}

std::uint32_t& StackPool::next_free(std::size_t region, std::uint32_t slot) {
  constexpr std::uint64_t kMaxSlots =
      vm::kStackRegionSize / (kMinStackBytes + vm::kStackGuard.bytes()) + 1;
  auto* table = reinterpret_cast<std::uint32_t*>(kStackTableRun.first.address());
  static_assert(StackRegions::kRegions * kMaxSlots * sizeof(std::uint32_t) <=
                kStackTableRun.count.bytes());
  return table[region * kMaxSlots + slot];
}

void StackPool::publish_slot_size(std::size_t region) {
  guards_->set_slot_size(region, base::PageCount::holding(regions_->regions[region].slot_bytes));
}

}  // namespace revenant::runtime
