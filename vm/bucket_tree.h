// The buckets of the vm_map: a hash's leading bits lead down a binary tree to the bucket.
//
//                     1                 nodes numbered as in a heap: the children of n are 2n, 2n+1
//               2           3           a hash's path: its bits from the top, 0 left and 1 right
//            4     5     6     7        here next_split = 5: nodes below 5 have been split, the
//           8 9   ...                   buckets are 5, 6, 7, 8 and 9
//
// It is linear hashing (Litwin, VLDB 1980) with the leading bits in place of the trailing ones, so
// that a chain sorted by hash is split by cutting it once (Shalev and Shavit's split-ordered lists,
// PODC 2003), and nothing in it moves. Growth is one split at a time:
//   1. the right half's first block is found; both children get their heads;
//   2. next_split advances: from here on readers start at the children;
//   3. the link between the halves is cut.
// A reader that started at the parent and came to the cut too late has missed the right half: it
// sees that its bucket is not the one it walked, and starts again. No intermediate step hides a
// block, so that a signal handler that has interrupted a split reads right too.
//
// There are two such trees: that of the chains of blocks, here (a bucket is the head of a chain),
// and that of the lone pages (lone_pages.h), which has its own way to hold buckets and split them.
//
// I1. The buckets are the nodes n with next_split <= n < 2 * next_split.
// I2. next_split never falls; it advances under the lock of the stripe that the node lies in.
//
// Threads: buckets and next_split are read by anybody; a bucket is written under its stripe's lock.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "base/result.h"
#include "vm/vm_map_block.h"
#include "vm/volatile_memory.h"

namespace revenant::vm::internal {

class BucketGrowth {
 public:
  using Node = std::uint64_t;

  // The stripes of the writers' locks are the nodes of this level: no bucket spans two of them.
  static constexpr unsigned kStripeBits = 6;
  static constexpr unsigned kStripes = 1u << kStripeBits;
  // The tree starts full to the depth that links leave out.
  static constexpr Node kFirstSplit = Node{1} << kImpliedHashBits;

  [[nodiscard]] Node bucket_of(std::uint64_t hash) const {
    const std::uint64_t growth = growth_.load(std::memory_order_acquire);
    const std::uint64_t cut = (growth & kCutMask) + (hash >= growth ? 1 : 0);  // I1
    // The hash behind a leading one is its path from the root, cut to the depth of its bucket.
    return (hash >> 1 | kRootBit) >> cut;
  }

  [[nodiscard]] Node next_split() const { return next_split_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t buckets() const { return next_split(); }
  // In this order: who sees the next node may split it, and store the next growth.
  void advance() {
    const Node next = next_split() + 1;
    growth_.store(growth_at(next), std::memory_order_release);
    next_split_.store(next, std::memory_order_release);  // I2
  }

  static constexpr unsigned stripe_of(std::uint64_t hash) { return hash >> (64 - kStripeBits); }
  // The least hash whose path goes through the node.
  static constexpr std::uint64_t first_hash(Node node) { return node << (64 - depth_of(node)); }
  // The greatest one.
  static constexpr std::uint64_t last_hash(Node node) {
    return first_hash(node) | (~std::uint64_t{0} >> depth_of(node));
  }

 private:
  // What readers need of next_split, in one word: the hashes below it have their buckets at the
  // deeper level; its low bits, which no hash has, are what to cut off a path there. (All of this
  // could be computed from next_split; but x86-64 counts leading zeros with an instruction that
  // waits for its target register's last value, and if that is a word of the entry looked up
  // before, no two lookups overlap: 140 ns, not 14.)
  static constexpr std::uint64_t kCutMask = 63;
  static constexpr std::uint64_t kRootBit = std::uint64_t{1} << 63;
  static constexpr std::uint64_t growth_at(Node split) {
    // The first of a level: all is at that level yet, as if all of the level above had been split.
    const bool first = std::has_single_bit(split);
    const unsigned depth = depth_of(split) + (first ? 0 : 1);
    return (first_hash(split) - 1 - kCutMask) | (63 - depth);
  }

  // The root has depth 0. No caller asks for the root: a shift by 64 is none.
  static constexpr unsigned depth_of(Node node) {
    return static_cast<unsigned>(std::bit_width(node)) - 1;
  }

  std::atomic<std::uint64_t> growth_{growth_at(kFirstSplit)};
  std::atomic<Node> next_split_{kFirstSplit};
};

// The buckets that are chains of blocks.
class BucketTree : public BucketGrowth {
 public:
  using Head = std::atomic<BlockLink>;

  // The tree stops growing here; from then on chains become longer.
  static constexpr Node kLastSplit = Node{1} << 26;

  [[nodiscard]] base::Status open() {
    return memory_.reserve(2 * kLastSplit * sizeof(Head), "the page table's buckets");
  }
  [[nodiscard]] Head& head(Node node) const {
    return reinterpret_cast<Head*>(memory_.begin())[node];
  }
  [[nodiscard]] std::uint64_t used_bytes() const { return 2 * next_split() * sizeof(Head); }

 private:
  ReservedMemory memory_;
};

}  // namespace revenant::vm::internal
