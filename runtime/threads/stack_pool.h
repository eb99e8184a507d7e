// Slots for stacks, by size.
//
//   stacks area:   16 regions of 16 GiB, each cut into slots of one size once it is first used
//   slot:          | guard, never touched | usable, a power of two |
//   slot table:    one index a slot, apart from the stacks: the free slots of a region form a list
//
// All of it is persistent and found by arithmetic, so that a restart rebuilds nothing and one
// ticket rule names the guards of every slot there will ever be.
//
// I1  A region's slot size never changes once it is set.
// I2  A slot is either handed out, on its region's free list, or beyond its region's high-water
//     mark.
//
// Threads and locks: guarded by the scheduler's lock. Errors: null when no region can serve the
// size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "vm/memory_manager.h"
#include "vm/stack_slots.h"

namespace revenant::runtime {

// The slot table: between the world and the heap's metadata.
inline constexpr base::PageRun kStackTableRun = vm::space_run(16 * vm::kMiB, 48 * vm::kMiB);

inline constexpr std::size_t kMinStackBytes = std::size_t{16} * 1024;
inline constexpr std::size_t kMaxStackBytes = std::size_t{8} << 30;

struct StackSlot {
  std::byte* low = nullptr;   // lowest usable address
  std::byte* high = nullptr;  // one past the highest
};

// The persistent half: lies in the world.
struct StackRegions {
  static constexpr std::size_t kRegions = 16;
  struct Region {
    std::uint64_t slot_bytes = 0;  // guard and stack; 0: not in use yet
    std::uint32_t used_slots = 0;  // high-water mark
    std::uint32_t first_free = 0;  // index + 1; 0: none
    std::uint32_t free_slots = 0;
  };
  std::array<Region, kRegions> regions;
};

class StackPool {
 public:
  // `regions` lies in the world; the guards' rule learns the slot sizes that are in use.
  void attach(StackRegions& regions, vm::MemoryManager& memory, vm::StackSlotRule& guards);

  // A slot with at least `bytes` of stack; rounded up to a power of two.
  StackSlot allocate(std::size_t bytes);
  // Takes back what allocate gave. The caller runs on another stack.
  void free(StackSlot slot);

 private:
  StackRegions::Region* region_for(std::uint64_t slot_bytes);
  std::uint32_t& next_free(std::size_t region, std::uint32_t slot);
  void publish_slot_size(std::size_t region);

  StackRegions* regions_ = nullptr;
  vm::MemoryManager* memory_ = nullptr;
  vm::StackSlotRule* guards_ = nullptr;
};

}  // namespace revenant::runtime
