// One sixty-fourth of the vm_map: what the writers of one range of hashes share.
//
// The stripe's blocks with dirty entries form a list, so that a dirty walk costs what is dirty. A
// walk takes the list away, to `dirty_left`, and brings each block back when it visits it: a block
// that becomes dirty meanwhile joins `dirty` and is not visited, one that is widened keeps its
// place, one that is cleaned or freed leaves whichever list it is on. Lone pages are visited before
// that, in the order of hashes: one that is given a block meanwhile is put on the list that says
// whether it was visited.
//
// I1. A block is on exactly one of the two lists if it has dirty entries, on none otherwise.
// I2. A block that has left raises the sequence before it can enter the table again.
// I3. The counts are exact whenever the lock is free.
#pragma once

#include <cstdint>

#include "base/lock.h"
#include "base/thread_annotations.h"
#include "vm/block_arena.h"
#include "vm/vm_map_block.h"

namespace revenant::vm::internal {

struct alignas(256) Stripe {
  static constexpr std::uint64_t kNothingLeft = ~std::uint64_t{0};

  // Of anybody, on a cache line that only writers of this stripe write.
  WriteSequence sequence;

  base::Lock lock{base::LockRank::kVmMap};
  BlockRef dirty REVENANT_GUARDED_BY(lock) = 0;
  BlockRef dirty_left REVENANT_GUARDED_BY(lock) = 0;
  // The dirty walk has visited the lone pages of lesser hashes; nothing is left where none is under
  // way.
  std::uint64_t lone_left_from REVENANT_GUARDED_BY(lock) = kNothingLeft;
  BlockRef free[kShapes] REVENANT_GUARDED_BY(lock) = {};
  std::uint64_t blocks[kShapes] REVENANT_GUARDED_BY(lock) = {};
  std::uint64_t lone_entries REVENANT_GUARDED_BY(lock) = 0;
  std::uint64_t entries REVENANT_GUARDED_BY(lock) = 0;
  std::uint64_t dirty_entries REVENANT_GUARDED_BY(lock) = 0;

  // An entry's words were replaced; words that are no entry count nothing.
  void count(const PageEntry::Words& old, const PageEntry::Words& fresh) REVENANT_REQUIRES(lock) {
    const auto is_dirty = [](const PageEntry::Words& words) {
      return PageEntry::is_entry(words) && PageEntry::from_words(words).dirty() ? 1u : 0u;
    };
    entries += PageEntry::is_entry(fresh) ? 1u : 0u;  // I3
    entries -= PageEntry::is_entry(old) ? 1u : 0u;
    dirty_entries += is_dirty(fresh);
    dirty_entries -= is_dirty(old);
  }

  // A block outside the table: a free one of the shape, or a new one.
  BlockRef take_block(BlockArena& arena, BlockShape shape) REVENANT_REQUIRES(lock);
  // Frees a block that has been unlinked.
  void release_block(BlockArena& arena, BlockRef ref) REVENANT_REQUIRES(lock);

  void link_dirty(BlockArena& arena, BlockRef ref) REVENANT_REQUIRES(lock);
  // The same for a block made for what was a dirty lone page.
  void link_dirty_lone(BlockArena& arena, BlockRef ref) REVENANT_REQUIRES(lock);
  void unlink_dirty(BlockArena& arena, BlockRef ref) REVENANT_REQUIRES(lock);
  // Puts `fresh` where `old` is on its list.
  void replace_dirty(BlockArena& arena, BlockRef old, BlockRef fresh) REVENANT_REQUIRES(lock);
  // A walk begins: all that is dirty is yet to be visited.
  void start_dirty_walk(std::uint64_t first_hash) REVENANT_REQUIRES(lock);
  // The next block to visit, back on the list of dirty ones; 0 at the end.
  BlockRef next_of_dirty_walk(BlockArena& arena) REVENANT_REQUIRES(lock);
};

}  // namespace revenant::vm::internal
