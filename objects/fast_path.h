// The few instructions that most calls of malloc and free take: no lock, no atomic operation, no
// division. Everything else goes to the heap's slow side.
//
// Included where the call itself is compiled (heap.cc, malloc_wrap.cc): it reads variables of the
// OS thread, and must not be inlined into code that may resume on another one.
#pragma once

#include <cstddef>

#include "objects/heap.h"

namespace revenant::objects {

struct FastPath {
  static void* allocate(std::size_t bytes) {
    Shard* shard = detail::current_shard;
    if (bytes <= kMaxSlabBlock && shard != nullptr) [[likely]] {
      const std::size_t index = size_class(bytes);
      std::byte* block = shard->take_recent(index);
      if (block == nullptr) block = shard->bins[index].current->take();
      if (block != nullptr) return block;
    }
    return Heap::instance()->allocate_slow(bytes);
  }

  // `pointer` lies in the heap's range.
  static void free(void* pointer) {
    const auto offset = reinterpret_cast<std::uintptr_t>(pointer) - kHeapBegin;
    const std::uint8_t kind = Slab::kind(offset >> kSlabShift).load(std::memory_order_relaxed);
    Shard* shard = detail::current_shard;
    Slab& slab = Slab::at(offset >> kSlabShift);
    if (kind == 0 || shard == nullptr || slab.shard.load(std::memory_order_relaxed) != shard->index)
        [[unlikely]] {
      return Heap::instance()->free_slow(pointer);
    }
    const ClassGeometry& geometry = kGeometry[kind - 1];
    const auto inside = static_cast<std::uint32_t>(offset & (kSlabBytes - 1));
    const std::uint32_t block = block_index(geometry, inside);
    if (block * geometry.bytes != inside || !slab.give_back(block)) [[unlikely]] {
      return Heap::instance()->free_slow(pointer);
    }
    shard->bins[kind - 1].push_recent(static_cast<std::byte*>(pointer));
    if (slab.place != SlabPlace::kCurrent && slab.needs_refile()) [[unlikely]] {
      Heap::instance()->shards_.after_free(slab);
    }
  }
};

}  // namespace revenant::objects
