// A block of the clustered page table: the entries of 64 neighbouring pages under one tag.
//
//   next | tag | dirty links | members | present | dirty | shape | entry, entry, ...
//   <------------------------ 56 bytes ------------------------> <- 24 bytes each ->
//
// A few pages do not pay for all their neighbours: a block is of one of three shapes, with room for
// 4, 16 or 64 entries in 192, 448 or 1600 bytes (and a page that has no neighbour at all has no
// block: lone_pages.h). `members` says which pages of the 64 have room; a member's cell is as many
// cells in as there are members below it. Members never change while the block is in the table:
// room for another page means another block in its place.
//
// A link to a block carries what a search needs, so that a full block's header is not fetched:
//
//   link   36 bits of the hash of its tag | is it full | 27 bits: where it lies
//
// Why 64: the links of a million consecutive pages are then 0.3 MB, which a second-level cache
// holds, and a search for one of them misses it once, for the entry (docs/vm.md has the figures).
//
// I1. An entry is present only in a member's cell; `present` is the set of those.
// I2. `dirty` is the set of present entries that are dirty.
// I3. A block outside the table has no tag.
// I4. A block's memory is never anything but a block of the same shape.
//
// Threads and locks: atomic fields are read by anybody, and what was read counts if the stripe's
// sequence says so (vm_map_sequence.h). Everything is written under the lock of the block's stripe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "vm/page_entry.h"
#include "vm/vm_map_sequence.h"

namespace revenant::vm::internal {

inline constexpr unsigned kBlockPages = 64;
inline constexpr unsigned kBlockShift = 6;

// Some pages of a block, a bit each.
using PageSet = std::uint64_t;
inline constexpr PageSet kAllMembers = ~PageSet{0};

// Which 64 pages: the page number without its low bits; 46 bits, as addresses have 64.
using BlockTag = std::uint64_t;
inline constexpr BlockTag kNoTag = ~BlockTag{0};

constexpr BlockTag tag_of(base::PageNumber page) { return page.value >> kBlockShift; }
constexpr unsigned index_of(base::PageNumber page) { return page.value & (kBlockPages - 1); }
constexpr PageSet bit_of(unsigned index) { return PageSet{1} << index; }

// 48 bits of a tag, mixed, at the top of a word. It is a bijection: hashes put blocks in an
// order without ties, and a hash stands for its tag.
//
// The factor is 2^48 over the golden ratio (Knuth's multiplicative hashing): runs of tags, which
// are what a space is made of, spread evenly over the buckets, more evenly than at random.
constexpr std::uint64_t hash_of(BlockTag tag) { return tag * (0x9E3779B97F4Bull << 16); }
inline constexpr std::uint64_t kHashStep = 1 << 16;  // from one hash to the next

// Where a block lies in the arena, in units of kBlockUnit bytes; 0 is nowhere.
using BlockRef = std::uint32_t;
inline constexpr std::size_t kBlockUnit = 64;
inline constexpr unsigned kBlockRefBits = 27;

// The top bits of a hash that a link leaves out: a search knows them from its bucket, which is at
// least this deep.
inline constexpr unsigned kImpliedHashBits = 12;

class BlockLink {
 public:
  constexpr BlockLink() = default;
  constexpr BlockLink(std::uint64_t hash, BlockRef ref, bool full)
      : bits_(hash << kImpliedHashBits | std::uint64_t{full} << kBlockRefBits | ref) {}

  // A link to nowhere ends a chain; it is not full.
  explicit constexpr operator bool() const { return ref() != 0; }
  [[nodiscard]] constexpr BlockRef ref() const { return bits_ & (kFull - 1); }
  [[nodiscard]] constexpr bool full() const { return (bits_ & kFull) != 0; }
  // Of a link to somewhere, among blocks of one bucket:
  [[nodiscard]] constexpr bool leads_to(std::uint64_t hash) const {
    return ((bits_ ^ hash << kImpliedHashBits) >> (kBlockRefBits + 1)) == 0;
  }
  [[nodiscard]] constexpr bool is_before(std::uint64_t hash) const {
    return bits_ >> (kBlockRefBits + 1) < (hash << kImpliedHashBits) >> (kBlockRefBits + 1);
  }

 private:
  static constexpr std::uint64_t kFull = std::uint64_t{1} << kBlockRefBits;
  static_assert(48 - kImpliedHashBits + 1 + kBlockRefBits == 64);

  std::uint64_t bits_ = 0;
};

enum class BlockShape : std::uint8_t { kFew, kSome, kFull };
inline constexpr unsigned kShapes = 3;
constexpr unsigned room_of(BlockShape shape) {
  return shape == BlockShape::kFew ? 4 : shape == BlockShape::kSome ? 16 : kBlockPages;
}

class Block {
 public:
  explicit Block(BlockShape shape) : shape_(shape) {}

  // For readers: no entry if the page is no member.
  [[nodiscard]] PageEntry::Words read(unsigned index) const {
    const PageSet members = members_.load(std::memory_order_acquire);
    if ((members & bit_of(index)) == 0) return {};
    return cells()[cell_of(members, index)].load();
  }

  // The rest is for the holder of the stripe's lock.

  // Gives a block that is outside the table its tag and its members, none of them present.
  void enter(BlockTag tag, PageSet members);
  // The same, with the entries of `other`; `members` contains those present there.
  void enter_as(const Block& other, PageSet members);
  // An entry of a block that no link leads to yet.
  void put_before_linked(unsigned index, const PageEntry::Words& words);
  // Takes the tag away. The block must be unlinked.
  void leave();
  // Replaces a member's entry; words that are no entry erase it.
  void write(base::PageNumber page, const PageEntry::Words& words, WriteSequence& sequence);

  [[nodiscard]] BlockLink link(BlockRef ref) const {
    return {hash_of(tag_), ref, shape_ == BlockShape::kFull};
  }
  [[nodiscard]] bool has_room_for(unsigned index) const {
    return (members_.load(std::memory_order_relaxed) & bit_of(index)) != 0;
  }
  [[nodiscard]] bool has(unsigned index) const { return (present_ & bit_of(index)) != 0; }
  [[nodiscard]] BlockTag tag() const { return tag_; }
  [[nodiscard]] PageSet present() const { return present_; }
  [[nodiscard]] PageSet dirty() const { return dirty_; }
  [[nodiscard]] BlockShape shape() const { return shape_; }
  void check_invariants() const;
  void check_entry(unsigned index) const;

  // The next block of the bucket, by rising hash; on a free list, the next free one.
  std::atomic<BlockLink> next{BlockLink()};
  // The neighbours on the stripe's list of blocks with dirty entries.
  BlockRef dirty_previous = 0;
  BlockRef dirty_next = 0;

 private:
  // A popcount in plain arithmetic: the baseline instruction set has none.
  static constexpr unsigned cell_of(PageSet members, unsigned index) {
    PageSet below = members & (bit_of(index) - 1);
    below -= (below >> 1) & 0x5555'5555'5555'5555;
    below = (below & 0x3333'3333'3333'3333) + ((below >> 2) & 0x3333'3333'3333'3333);
    below = (below + (below >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
    return static_cast<unsigned>((below * 0x0101'0101'0101'0101) >> 56);
  }
  [[nodiscard]] EntryCell* cells() { return reinterpret_cast<EntryCell*>(this + 1); }
  [[nodiscard]] const EntryCell* cells() const {
    return reinterpret_cast<const EntryCell*>(this + 1);
  }
  void note(unsigned index, const PageEntry::Words& words);

  BlockTag tag_ = kNoTag;
  std::atomic<PageSet> members_{0};
  PageSet present_ = 0;
  PageSet dirty_ = 0;
  const BlockShape shape_;
};
static_assert(sizeof(Block) == 56);

// Where a full block's entries lie in the arena, in words; 0 is where there is never an entry.
using CellsRef = std::uint32_t;
inline constexpr std::size_t kCellsUnit = 8;
constexpr CellsRef cells_of(BlockRef full_block) {
  return full_block * CellsRef{kBlockUnit / kCellsUnit} + CellsRef{sizeof(Block) / kCellsUnit};
}
static_assert(kBlockRefBits + 3 <= 32);

constexpr std::size_t bytes_of(BlockShape shape) {
  const std::size_t bytes = sizeof(Block) + room_of(shape) * sizeof(EntryCell);
  return (bytes + kBlockUnit - 1) / kBlockUnit * kBlockUnit;
}

}  // namespace revenant::vm::internal
