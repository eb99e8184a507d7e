// The root object: what a process, or the tool reading a dead image, finds first.
//
//   page 0 of the space:  | identity | guard values | open epoch | runtime | heap | roots | types |
//   further in the area:  shards, one page a worker; the runtime's block
//
// I1  magic, layout_version and bytes never change in a store's life; a world that disagrees with
//     them was written by another layout and is refused.
// I2  Everything reachable from here lies in the space; all pointers are plain pointers.
// I3  open_epoch is the number of the snapshot being made: it rises inside a stop, and at no other
//     time.
//
// Threads and locks: each part says whose lock guards it; the identity is constant, open_epoch is
// written while all workers are parked and read by anyone.
// Errors: check() names what is wrong with a world in one sentence.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "base/result.h"
#include "base/units.h"
#include "objects/heap_state.h"
#include "objects/layout.h"
#include "objects/root_state.h"
#include "objects/type_state.h"

namespace revenant::objects {

// Drawn once a store; the runtime's OS threads adopt them, so that parked frames stay resumable.
struct GuardValues {
  std::uint64_t stack_canary;
  std::uint64_t pointer_guard;
};

struct World {
  static constexpr std::uint64_t kMagic = 0x646c726f57766552;  // "RevWorld", little-endian
  static constexpr std::uint32_t kLayoutVersion = 1;

  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t bytes;
  GuardValues guards;
  std::atomic<std::uint64_t> open_epoch_value;
  void* runtime;  // the runtime's own root, opaque here
  HeapState heap;
  RootState roots;
  TypeState types;

  // The one world of this process; its pages must be mapped.
  static World& at_home() { return *reinterpret_cast<World*>(kWorldAddress); }

  // Writes a new world over zeroed pages.
  static World& create(GuardValues guards, base::Epoch open_epoch);

  // Refuses what is no world of this layout. I1
  [[nodiscard]] base::Status check() const;

  [[nodiscard]] base::Epoch open_epoch() const {
    return {open_epoch_value.load(std::memory_order_relaxed)};
  }
  // Only while all workers are parked. I3
  void set_open_epoch(base::Epoch epoch) {
    open_epoch_value.store(epoch.value, std::memory_order_relaxed);
  }

  // Memory that the runtime lays out as it likes, zeroed in a new world.
  static std::byte* runtime_block() { return reinterpret_cast<std::byte*>(kRuntimeBlockAddress); }
};

static_assert(std::is_standard_layout_v<World>, "the tool reads it from dead images");
static_assert(sizeof(World) <= base::kPageSize, "the world is the first page");

}  // namespace revenant::objects
