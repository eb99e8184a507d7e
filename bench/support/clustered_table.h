// A clustered page table with nothing but its two choices: the pages of a block, and the hash.
//
// For one thread, of a fixed number of buckets, all blocks full-sized: what the choice costs or
// saves is then not hidden behind what else vm/vm_map.h does.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vm/page_entry.h"
#include "vm/vm_map_block.h"

namespace revenant::bench {

// Each gives a word whose upper bits number the bucket.
struct FibonacciHash {  // the house's: 2^48 over the golden ratio
  static std::uint64_t of(std::uint64_t tag) { return vm::internal::hash_of(tag); }
};
struct MurmurHash {  // the finalizer of MurmurHash3
  static std::uint64_t of(std::uint64_t tag) {
    tag = (tag ^ (tag >> 33)) * 0xff51afd7ed558ccdull;
    tag = (tag ^ (tag >> 33)) * 0xc4ceb9fe1a85ec53ull;
    return tag ^ (tag >> 33);
  }
};
struct ModuloHash {  // the ancestor's: the address itself, modulo 2^20
  static std::uint64_t of(std::uint64_t tag) { return tag << 44; }
};

template <unsigned kShift, class Hash>
class ClusteredTable {
 public:
  // For `pages` pages in `blocks` blocks.
  explicit ClusteredTable(std::size_t blocks)
      : shift_(64 - static_cast<unsigned>(std::bit_width(blocks * 8 / 3))),
        heads_(std::size_t{1} << (64 - shift_)) {
    blocks_.reserve(blocks + 1);
    blocks_.emplace_back();  // number 0: nowhere
  }

  // If a block has one page only, the page must be new.
  void insert(std::uint64_t page, const vm::PageEntry& entry) {
    const std::uint64_t tag = page >> kShift;
    std::uint32_t* link = &heads_[Hash::of(tag) >> shift_];
    // Blocks of one page are all new, and some hash puts thousands into a chain.
    while (kShift != 0 && *link != 0 && blocks_[*link].tag != tag) link = &blocks_[*link].next;
    if (kShift == 0 || *link == 0) {
      blocks_.push_back({.tag = tag, .next = *link});
      *link = static_cast<std::uint32_t>(blocks_.size() - 1);
    }
    blocks_[*link].entries[page & kIndexMask] = entry.words();
  }
  [[nodiscard, gnu::always_inline]] std::uint64_t find(std::uint64_t page) const {
    const std::uint64_t tag = page >> kShift;
    std::uint32_t block = heads_[Hash::of(tag) >> shift_];
    while (blocks_[block].tag != tag && block != 0) block = blocks_[block].next;
    const vm::PageEntry::Words& words = blocks_[block].entries[page & kIndexMask];
    return words[0] ^ words[2];
  }
  // How many blocks a search for the page looks at.
  [[nodiscard]] std::size_t searched(std::uint64_t page) const {
    const std::uint64_t tag = page >> kShift;
    std::uint32_t block = heads_[Hash::of(tag) >> shift_];
    std::size_t count = 1;
    for (; blocks_[block].tag != tag; ++count) block = blocks_[block].next;
    return count;
  }
  [[nodiscard]] std::size_t bytes() const {
    return blocks_.size() * sizeof(Block) + heads_.size() * sizeof(heads_[0]);
  }

 private:
  static constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << kShift) - 1;
  struct Block {
    std::uint64_t tag = ~std::uint64_t{0};
    std::uint32_t next = 0;
    std::array<vm::PageEntry::Words, std::size_t{1} << kShift> entries{};
  };

  unsigned shift_;
  std::vector<std::uint32_t> heads_;
  std::vector<Block> blocks_;
};

}  // namespace revenant::bench
