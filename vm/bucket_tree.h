// The buckets of the vm_map: a hash's leading bits lead down a binary tree to the head of a chain.
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
// I1. The buckets are the nodes n with next_split <= n < 2 * next_split.
// I2. next_split never falls; it advances under the lock of the stripe that the node lies in.
//
// Threads: heads and next_split are read by anybody; a head is written under its stripe's lock.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "base/result.h"
#include "vm/vm_map_block.h"
#include "vm/volatile_memory.h"

namespace revenant::vm::internal {

class BucketTree {
 public:
  using Node = std::uint64_t;
  using Head = std::atomic<BlockLink>;

  // The stripes of the writers' locks are the nodes of this level: no bucket spans two of them.
  static constexpr unsigned kStripeBits = 6;
  static constexpr unsigned kStripes = 1u << kStripeBits;
  // The tree starts full to the depth that links leave out, and stops growing here; from then on
  // chains become longer.
  static constexpr Node kFirstSplit = Node{1} << kImpliedHashBits;
  static constexpr Node kLastSplit = Node{1} << 26;

  BucketTree() : growth_(growth_at(kFirstSplit)) {}
  [[nodiscard]] base::Status open() {
    return memory_.reserve(2 * kLastSplit * sizeof(Head), "the page table's buckets");
  }

  [[nodiscard]] Node bucket_of(std::uint64_t hash) const {
    const std::uint64_t growth = growth_.load(std::memory_order_acquire);
    // The hash behind a leading one is its path from the root, cut to the depth of the children.
    const Node child = (hash >> 1 | kRootBit) >> (growth & kCutMask);
    return child / 2 >= growth >> kCutBits ? child / 2 : child;  // I1
  }
  [[nodiscard]] Head& head(Node node) const {
    return reinterpret_cast<Head*>(memory_.begin())[node];
  }

  [[nodiscard]] Node next_split() const {
    return growth_.load(std::memory_order_acquire) >> kCutBits;
  }
  void advance() { growth_.store(growth_at(next_split() + 1), std::memory_order_release); }  // I2

  static constexpr unsigned stripe_of(std::uint64_t hash) { return hash >> (64 - kStripeBits); }
  // The least hash whose path goes through the node.
  static constexpr std::uint64_t first_hash(Node node) { return node << (64 - depth_of(node)); }
  // The greatest one.
  static constexpr std::uint64_t last_hash(Node node) {
    return first_hash(node) | (~std::uint64_t{0} >> depth_of(node));
  }

  [[nodiscard]] std::uint64_t buckets() const { return next_split(); }
  [[nodiscard]] std::uint64_t used_bytes() const { return 2 * next_split() * sizeof(Head); }

 private:
  // next_split, and the bits to cut off a path there. The cut could be computed from next_split;
  // but x86-64 counts leading zeros with an instruction that waits for its target register's last
  // value, and if that is a word of the entry looked up before, no two lookups overlap (140 ns, not
  // 14).
  static constexpr unsigned kCutBits = 6;
  static constexpr std::uint64_t kCutMask = (1u << kCutBits) - 1;
  static constexpr std::uint64_t kRootBit = std::uint64_t{1} << 63;
  static constexpr std::uint64_t growth_at(Node split) {
    return split << kCutBits | (63 - (depth_of(split) + 1));
  }

  // The root has depth 0. No caller asks for the root: a shift by 64 is none.
  static constexpr unsigned depth_of(Node node) {
    return static_cast<unsigned>(std::bit_width(node)) - 1;
  }

  ReservedMemory memory_;
  std::atomic<std::uint64_t> growth_;
};

}  // namespace revenant::vm::internal
