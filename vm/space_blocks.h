// Where the full blocks of the space lie: an array beside the hash table, indexed by the tag.
//
//   tag, from the space's first one   -->   [where] [where] [  0  ] [where] ...
//                                              0: no full block; search the table
//
// Nearly all pages are of the space, which is one range: 2M blocks at most, 4 bytes for each, 8 MiB
// of addresses, touched where the space is used. A look-up there needs no bucket, no tag and no
// chain. The table knows all that is known here, and pages anywhere: this is a shorter way for
// readers, and walks, growth and writers do without it.
//
// I1. A tag's word is where its full block's entries lie, 0 if the table has no such block.
//
// A block enters here after it has entered the table and leaves before it leaves that. A reader
// that comes late learns it from the stripe's sequence, as with the table's links.
//
// Threads: find is for anybody; enter and leave are for the holder of the lock of the tag's stripe.
// Errors: open() fails when addresses cannot be reserved.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "vm/space.h"
#include "vm/vm_map_block.h"
#include "vm/volatile_memory.h"

namespace revenant::vm::internal {

class SpaceBlocks {
 public:
  [[nodiscard]] base::Status open() {
    return memory_.reserve_sparse(kTags * sizeof(Word), "the page table's blocks");
  }

  [[nodiscard]] static constexpr bool covers(BlockTag tag) { return tag - kFirstTag < kTags; }
  // Of a tag that it covers.
  [[nodiscard]] CellsRef find(BlockTag tag) const {
    return word(tag).load(std::memory_order_acquire);
  }

  // A tag that it does not cover is ignored.
  void enter(BlockTag tag, BlockRef full_block) {
    if (covers(tag)) word(tag).store(cells_of(full_block), std::memory_order_release);
  }
  void leave(BlockTag tag) {
    if (covers(tag)) word(tag).store(0, std::memory_order_release);
  }

  // How many blocks are here: for check_invariants, it reads all of the array.
  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t blocks = 0;
    for (BlockTag tag = kFirstTag; covers(tag); ++tag) blocks += find(tag) != 0 ? 1 : 0;
    return blocks;
  }

 private:
  using Word = std::atomic<CellsRef>;
  static constexpr BlockTag kFirstTag = tag_of(kSpaceRun.first);
  static constexpr BlockTag kTags = kSpaceRun.count.value / kBlockPages;
  static_assert(kSpaceRun.first.value % kBlockPages == 0);
  static_assert(kSpaceRun.count.value % kBlockPages == 0);

  [[nodiscard]] Word& word(BlockTag tag) const {
    return reinterpret_cast<Word*>(memory_.begin())[tag - kFirstTag];
  }

  ReservedMemory memory_;
};

}  // namespace revenant::vm::internal
