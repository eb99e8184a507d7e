// Where the heap's parts lie: all addresses here are constants of the store's format.
//
//   space + 0          World (one page), shards, types, the runtime's block     [1 MiB]
//   space + 1 GiB      page map | run records | slab kinds | slab headers       [to 8 GiB]
//   space + 8 GiB      heap pages: page runs and slabs                          [to 192 GiB]
//
// What describes a heap page is found from the page's address by arithmetic, so that free() and a
// fault's ticket look nothing up, and objects share no page with what describes them. The areas are
// sparse: only what describes used pages is ever touched.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "vm/space.h"

namespace revenant::objects {

inline constexpr std::uintptr_t kWorldAddress = vm::kWorldRun.first.address();
inline constexpr std::uintptr_t kShardsAddress = kWorldAddress + (std::size_t{64} << 10);
inline constexpr std::uintptr_t kRuntimeBlockAddress = kWorldAddress + (std::size_t{512} << 10);
inline constexpr std::size_t kRuntimeBlockBytes = std::size_t{64} << 10;

inline constexpr std::uintptr_t kMetadataBegin = vm::kHeapMetadataRun.first.address();
inline constexpr std::uintptr_t kMetadataEnd = vm::kHeapMetadataRun.end().address();
inline constexpr std::uintptr_t kHeapBegin = vm::kHeapRun.first.address();
inline constexpr std::uintptr_t kHeapEnd = vm::kHeapRun.end().address();

inline constexpr std::uint64_t kHeapPages = (kHeapEnd - kHeapBegin) >> base::kPageShift;
// What the metadata is laid out for: more than there is, since the heap's upper end was given away.
inline constexpr std::uint64_t kDescribedPages = 248 * vm::kGiB >> base::kPageShift;
static_assert(kHeapPages <= kDescribedPages);

inline constexpr std::size_t kSlabShift = 16;
inline constexpr std::size_t kSlabBytes = std::size_t{1} << kSlabShift;
inline constexpr std::uint64_t kPagesPerSlab = kSlabBytes >> base::kPageShift;
inline constexpr std::uint64_t kDescribedSlabs = kDescribedPages / kPagesPerSlab;

inline bool in_space(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) - vm::kSpaceBase < vm::kSpaceSize;
}

inline bool in_heap(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) - kHeapBegin < kHeapEnd - kHeapBegin;
}

}  // namespace revenant::objects
