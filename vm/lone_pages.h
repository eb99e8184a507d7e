// The pages of the vm_map that have no neighbour in their block: no block is made for them.
//
//   hash of the page's tag --> bucket of two cache lines:   key | entry   key | entry
//                                                           key | entry   key | entry
//
// A bit of the hash says which of the lines a page goes to if there is room, and a search to first:
// one line is then all that it fetches. A bucket never has more than four slots: the fifth page
// that comes is given a block, though it is alone there. There are four buckets for five pages, so
// that of pages at random one in twenty lies in the other line, and one in a hundred in a block.
//
// A split leaves the left half's pages where they are; the right half gets new lines:
//   1. its pages are copied there;
//   2. next_split advances: from here on readers look there;
//   3. their old slots are freed.
// Bucket number n in memory is the one that the split of node n made; what splits lead to the left
// of it keeps it (number_of). So nothing is ever idle, and nothing moves.
//
// I1. A page is in a slot of its bucket; of the pages of one block at most one is in any slot.
// I2. The bit of a bucket is set exactly if a page in it is dirty.
// I3. A slot that is freed raises the stripe's sequence before another page may take it.
//
// Threads: find and bucket_of are for anybody, as vm_map_sequence.h says; everything else is for
// the holder of the lock of the stripe that the hash lies in.
// Errors: open() fails when addresses cannot be reserved.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "vm/bucket_tree.h"
#include "vm/vm_map_block.h"
#include "vm/vm_map_sequence.h"
#include "vm/volatile_memory.h"

namespace revenant::vm::internal {

struct LoneSlot {
  std::atomic<std::uint64_t> key{0};  // the page number and a one behind it; 0: free
  EntryCell cell;

  static constexpr std::uint64_t key_of(base::PageNumber page) { return page.value << 1 | 1; }
  [[nodiscard]] bool is_free() const { return key.load(std::memory_order_relaxed) == 0; }
  // Of a slot that is not free:
  [[nodiscard]] base::PageNumber page() const { return {key.load(std::memory_order_relaxed) >> 1}; }
  [[nodiscard]] std::uint64_t hash() const { return hash_of(tag_of(page())); }
  [[nodiscard]] bool dirty() const { return PageEntry::from_words(cell.load()).dirty(); }
};

class LonePages {
 public:
  using Node = BucketGrowth::Node;

  [[nodiscard]] base::Status open();

  // The page's entry, or null. `hash` is that of its tag.
  [[gnu::always_inline]] [[nodiscard]] const EntryCell* find(base::PageNumber page,
                                                             std::uint64_t hash) const {
    const Slot* bucket = slots_of(growth_.bucket_of(hash));
    const std::uint64_t key = LoneSlot::key_of(page);
    const unsigned first = first_slot(hash);
    for (const Slot* line : {bucket + first, bucket + (first ^ kLineSlots)}) {
      // Not a branch, which would be foreseen half of the time.
      const Slot& slot = line[line[1].key.load(std::memory_order_acquire) == key ? 1 : 0];
      if (slot.key.load(std::memory_order_acquire) == key) [[likely]]
        return &slot.cell;
    }
    return nullptr;
  }
  [[nodiscard]] Node bucket_of(std::uint64_t hash) const { return growth_.bucket_of(hash); }

  // The slot of the block's page, or null.
  [[nodiscard]] LoneSlot* find_tag(BlockTag tag) const;
  // A free slot for a page of the block, or null.
  [[nodiscard]] LoneSlot* free_slot(BlockTag tag) const;
  // The slot of the least hash in its bucket that is at least `hash`, or null.
  [[nodiscard]] LoneSlot* first_from(std::uint64_t hash) const;
  // The dirty slot of the least hash from `hash` to `last`, or null.
  [[nodiscard]] LoneSlot* first_dirty(std::uint64_t hash, std::uint64_t last) const;

  // Fills a free slot; changes one; frees one.
  void fill(LoneSlot& slot, base::PageNumber page, const PageEntry::Words& words);
  void change(LoneSlot& slot, const PageEntry::Words& words, WriteSequence& sequence);
  void vacate(LoneSlot& slot, WriteSequence& sequence);

  // Whether there are too many pages for the buckets; the next to split, and its split.
  [[nodiscard]] bool crowded() const;
  [[nodiscard]] Node next_split() const { return growth_.next_split(); }
  void split(Node node, WriteSequence& sequence);

  [[nodiscard]] std::uint64_t pages() const { return pages_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t buckets() const { return growth_.buckets(); }
  [[nodiscard]] std::uint64_t used_bytes() const { return growth_.buckets() * kBucketBytes; }
  void check_bucket(Node node) const;

 private:
  using Slot = LoneSlot;
  static constexpr unsigned kLineSlots = 2;
  static constexpr unsigned kSlots = 4;
  static constexpr std::size_t kBucketBytes = kSlots * sizeof(Slot);
  static_assert(kLineSlots * sizeof(Slot) == 64);
  // From here on the pages that find no slot are given blocks.
  static constexpr Node kLastSplit = Node{1} << 24;

  // The first slot of the line that a page goes to if it can.
  static constexpr unsigned first_slot(std::uint64_t hash) {
    return static_cast<unsigned>(hash >> 30) & kLineSlots;
  }
  static constexpr std::uint64_t number_of(Node node) {
    return node >> (static_cast<unsigned>(__builtin_ctzll(node)) + 1);
  }
  [[nodiscard]] Slot* slots_of(Node node) const {
    return reinterpret_cast<Slot*>(buckets_.begin() + number_of(node) * kBucketBytes);
  }
  [[nodiscard]] std::uint64_t& dirty_word(Node node) const {
    return reinterpret_cast<std::uint64_t*>(dirty_.begin())[node / 64];
  }
  void note_dirty(Node node);

  ReservedMemory buckets_;
  ReservedMemory dirty_;
  BucketGrowth growth_;
  std::atomic<std::uint64_t> pages_{0};
};

}  // namespace revenant::vm::internal
