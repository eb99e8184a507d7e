// The pages of the vm_map that have no neighbour in their block: no block is made for them.
//
//   hash of the page's tag --> bucket of four cache lines:   key | entry   key | entry
//                                                            key | entry   key | entry
//                                                            key | entry   key | entry
//                                                            key | entry   key | entry
//
// Two bits of the hash say which of the lines a page goes to if there is room, and a search to
// first: one line is then all that it fetches. A bucket never has more than eight slots: the ninth
// page that comes is given a block, though it is alone there. There are 8 buckets for 17 pages, so
// that of pages at random one in twenty lies in another line, and one in a hundred in a block.
//
// A split leaves the left half's pages in their bucket; the right half gets a new one:
//   1. its pages are copied there;
//   2. next_split advances: from here on readers look there;
//   3. their old slots are freed, and what lay in another line for want of room comes to its own.
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

  // The page's entry if it lies in its first line, or null; and wherever in its bucket it lies.
  // `hash` is that of the page's tag.
  [[gnu::always_inline]] [[nodiscard]] const EntryCell* find_in_first_line(
      base::PageNumber page, std::uint64_t hash) const {
    return find_in_line(slots_of(growth_.bucket_of(hash)), first_line(hash), page);
  }
  [[nodiscard]] const EntryCell* find(base::PageNumber page, std::uint64_t hash) const;
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
  static constexpr unsigned kSlots = 8;
  static constexpr std::size_t kLineBytes = kLineSlots * sizeof(Slot);
  static constexpr std::size_t kBucketBytes = kSlots * sizeof(Slot);
  static_assert(kLineBytes == 64);
  // From here on the pages that find no slot are given blocks.
  static constexpr Node kLastSplit = Node{1} << 23;

  // Where the line that a page goes to if it can begins, in bytes and in slots.
  static constexpr std::size_t first_line(std::uint64_t hash) {
    return (hash >> 24) & (kBucketBytes - kLineBytes);
  }
  static constexpr unsigned first_slot(std::uint64_t hash) {
    return static_cast<unsigned>(first_line(hash) / sizeof(Slot));
  }
  [[gnu::always_inline]] [[nodiscard]] static const EntryCell* find_in_line(const Slot* bucket,
                                                                            std::size_t line_at,
                                                                            base::PageNumber page) {
    const std::uint64_t key = LoneSlot::key_of(page);
    const auto* line =
        reinterpret_cast<const Slot*>(reinterpret_cast<const std::byte*>(bucket) + line_at);
    // Not a branch, which would be foreseen half of the time.
    const Slot* slot = line + 1;
    const bool is_other = slot->key.load(std::memory_order_acquire) != key;
    if (__builtin_expect_with_probability(is_other, 1, 0.5)) slot = line;
    return slot->key.load(std::memory_order_acquire) == key ? &slot->cell : nullptr;
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
  // A free slot of the bucket, in the hash's first line if there is one.
  [[nodiscard]] static Slot* free_slot_in(Slot* bucket, std::uint64_t hash);
  static void copy(const Slot& from, Slot& to);
  // Moves pages to their first lines, where there is room now.
  static void gather(Slot* bucket, WriteSequence& sequence);
  void note_dirty(Node node);

  ReservedMemory buckets_;
  ReservedMemory dirty_;
  BucketGrowth growth_;
  std::atomic<std::uint64_t> pages_{0};
};

}  // namespace revenant::vm::internal
