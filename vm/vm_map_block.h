// A block of the clustered page table: the entries of 16 neighbouring pages under one tag.
//
//   next | dirty links | sequence | tag | members | present | dirty | shape | entry, entry, ...
//   <----------------------------- 32 bytes ------------------------------> <- 24 bytes each ->
//
// A lone page does not pay for fifteen neighbours: a block is of one of three shapes, with room for
// 1, 4 or 16 entries in 64, 128 or 448 bytes. `members` says which pages of the sixteen have room;
// a member's slot is the number of members below it. Members never change while the block is in the
// table: room for another page means another block in its place.
//
// Reading without a lock (find_entry):
//   1. read the sequence number, then the tag, then the slot, then the sequence number again;
//   2. the two are equal: what was read stood there together. Else read again;
//   3. the number is odd: a writer is inside. It changes a single entry, and has left that entry's
//      old words in its draft: the reader takes them, and does not wait. So a signal handler may
//      read even where it has interrupted the writer itself.
// Data is stored with release and loaded with acquire, in place of fences (Boehm, "Can seqlocks get
// along with programming language memory models?", MSPC 2012); on x86-64 these are plain moves.
//
// Reclamation: a block's memory is never anything but a block of the same shape. It goes from the
// table to a free list and back into the table, and its sequence number counts on. A reader that
// is late reads old words or words of another tag, sees the number or the tag differ, and goes
// back to the bucket. Epochs or hazard pointers would make a reader write, and a signal handler may
// not count on its thread being registered anywhere; memory of the type costs neither. The number
// has 32 bits: a reader would have to sleep through exactly 2^31 writes of one block.
//
// I1. `present` and `members`: an entry is present only in a member's slot, and its word 2 is not
// 0. I2. `dirty` is the set of present entries that are dirty. I3. The sequence number is odd only
// inside write_entry, and never goes back. I4. A block outside the table has no tag.
//
// Threads and locks: the fields marked atomic are read by anybody; everything is written under the
// lock of the stripe that the block belongs to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "vm/page_entry.h"

namespace revenant::vm::internal {

inline constexpr unsigned kBlockPages = 16;
inline constexpr unsigned kBlockShift = 4;
inline constexpr std::uint16_t kAllMembers = 0xffff;

// Which sixteen pages: the page number without its low bits.
using BlockTag = std::uint64_t;
inline constexpr BlockTag kNoTag = ~BlockTag{0};

constexpr BlockTag tag_of(base::PageNumber page) { return page.value >> kBlockShift; }
constexpr unsigned index_of(base::PageNumber page) { return page.value & (kBlockPages - 1); }
constexpr std::uint16_t bit_of(unsigned index) { return static_cast<std::uint16_t>(1u << index); }

// Where a block lies in the arena, in units of kBlockUnit bytes; 0 is nowhere.
using BlockRef = std::uint32_t;
inline constexpr std::size_t kBlockUnit = 64;

enum class BlockShape : std::uint8_t { kLone, kFew, kFull };
inline constexpr unsigned kShapes = 3;
constexpr unsigned room_of(BlockShape shape) {
  return shape == BlockShape::kLone ? 1 : shape == BlockShape::kFew ? 4 : kBlockPages;
}

// The words of an entry, as readers without a lock see them.
struct EntryCell {
  std::atomic<std::uint64_t> word[3];

  [[nodiscard]] PageEntry::Words load() const {
    return {word[0].load(std::memory_order_acquire), word[1].load(std::memory_order_acquire),
            word[2].load(std::memory_order_acquire)};
  }
  void store(const PageEntry::Words& words) {
    for (int i = 0; i < 3; ++i) word[i].store(words[i], std::memory_order_release);
  }
};

// What the one writer of a stripe is about to overwrite. Valid while the block's number is odd.
struct EntryDraft {
  std::atomic<std::uint64_t> page{~std::uint64_t{0}};
  EntryCell before{};
};

class Block {
 public:
  enum class Found : std::uint8_t {
    kEntry,   // `words` is the page's entry
    kNone,    // this is the page's block, and it holds no entry for it
    kOther,   // another tag: try the next block
    kMoving,  // the block was written meanwhile: read again
  };

  explicit Block(BlockShape shape) : shape_(shape) {}

  // Step 1 to 3 above. `draft` is of the page's own stripe.
  [[nodiscard]] Found find_entry(base::PageNumber page, const EntryDraft& draft,
                                 PageEntry::Words& words) const {
    const std::uint32_t before = sequence_.load(std::memory_order_acquire);
    if (tag_.load(std::memory_order_acquire) != tag_of(page)) return Found::kOther;
    const std::uint16_t members = members_.load(std::memory_order_acquire);
    const unsigned index = index_of(page);
    // The branch is what lets the processor load the entry of a full block before the block's
    // header has arrived.
    unsigned slot = index;
    if (members != kAllMembers) {
      if ((members & bit_of(index)) == 0) return settled(before, Found::kNone);
      slot = slot_in(members, index);
    }
    words = cells()[slot].load();
    if ((before & 1) != 0 && draft.page.load(std::memory_order_acquire) == page.value)
        [[unlikely]] {
      words = draft.before.load();
    }
    return settled(before, PageEntry::is_entry(words) ? Found::kEntry : Found::kNone);
  }

  // The rest is for the holder of the stripe's lock.

  // Gives a block that is outside the table its tag and its members, none of them present.
  void enter(BlockTag tag, std::uint16_t members);
  // The same, with the entries of `other`, whose members are among `members`.
  void enter_as(const Block& other, std::uint16_t members);
  // Takes the tag away. The block must be unlinked.
  void leave();
  // Replaces a member's entry; words with word 2 equal to 0 erase it.
  void write_entry(base::PageNumber page, const PageEntry::Words& words, EntryDraft& draft);

  [[nodiscard]] PageEntry::Words words_at(unsigned index) const {
    return cells()[slot_in(members(), index)].load();
  }
  [[nodiscard]] bool has_member(unsigned index) const { return (members() & bit_of(index)) != 0; }
  [[nodiscard]] BlockTag tag() const { return tag_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint16_t members() const { return members_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint16_t present() const { return present_; }
  [[nodiscard]] std::uint16_t dirty() const { return dirty_; }
  [[nodiscard]] BlockShape shape() const { return shape_; }
  void check_invariants() const;

  // In the table: the next block of the bucket, by rising hash. On a free list: the next free one.
  std::atomic<BlockRef> next{0};
  // The links of the stripe's dirty list (dirty_blocks.h).
  BlockRef dirty_previous = 0;
  BlockRef dirty_next = 0;

 private:
  // A popcount in plain arithmetic: the baseline instruction set has none.
  static constexpr unsigned slot_in(std::uint16_t members, unsigned index) {
    unsigned below = members & (bit_of(index) - 1u);
    below -= (below >> 1) & 0x5555;
    below = (below & 0x3333) + ((below >> 2) & 0x3333);
    below = (below + (below >> 4)) & 0x0f0f;
    return (below + (below >> 8)) & 0x1f;
  }
  [[nodiscard]] Found settled(std::uint32_t before, Found found) const {
    return sequence_.load(std::memory_order_relaxed) == before ? found : Found::kMoving;
  }
  [[nodiscard]] EntryCell* cells() { return reinterpret_cast<EntryCell*>(this + 1); }
  [[nodiscard]] const EntryCell* cells() const {
    return reinterpret_cast<const EntryCell*>(this + 1);
  }

  std::atomic<std::uint32_t> sequence_{0};
  std::atomic<BlockTag> tag_{kNoTag};
  std::atomic<std::uint16_t> members_{0};
  std::uint16_t present_ = 0;
  std::uint16_t dirty_ = 0;
  const BlockShape shape_;
};
static_assert(sizeof(Block) == 32);
static_assert(sizeof(EntryCell) == sizeof(PageEntry));

constexpr std::size_t bytes_of(BlockShape shape) {
  const std::size_t bytes = sizeof(Block) + room_of(shape) * sizeof(EntryCell);
  return (bytes + kBlockUnit - 1) / kBlockUnit * kBlockUnit;
}

}  // namespace revenant::vm::internal
