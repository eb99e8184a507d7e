// The snapshot tree's nodes: shape, encoding, and arithmetic on page numbers.
//
//   A radix tree over 36-bit page numbers, three bits a level; ranges with one inhabited slot are
//   skipped (path compression), so a lookup takes about as many steps as the pages differ in
//   digits:
//
//     level 5  [ . . x . x . . . ]            covers 8^6 pages, slot = (page >> 15) & 7
//                    |   \                                              .
//     level 0  [ i i . i i i i i ]  level 2 [ ... ]    a child may be any lower level
//               images
//
// I1  Nodes are never changed once written. A change writes the nodes on its path anew.
// I2  A node covers the aligned range of 8^(level+1) pages at first(); its children lie within the
//     slots they stand in, and their levels are lower.
// I3  A leaf (level 0) has at least one image, an inner node at least two children: one set of
//     pages has one shape.
// I4  A child is not younger than its node.
//
// Eight slots keep a lone changed page cheap (a path of about 270 bytes a level): 1,000 scattered
// changes in 1 GiB rewrite about 750 KB of nodes, where sixteen slots would rewrite 1.1 MB.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/units.h"
#include "store/format.h"

namespace revenant::store {

inline constexpr unsigned kLevelBits = 3;
inline constexpr std::size_t kFanOut = std::size_t{1} << kLevelBits;
inline constexpr unsigned kPageNumberBits = 36;
inline constexpr unsigned kLevels = kPageNumberBits / kLevelBits;
inline constexpr std::size_t kLongestNode = sizeof(NodeHeader) + kFanOut * sizeof(ImageReference);

// What lies under the range [first, first + 8^(level+1)).
struct NodeRange {
  base::PageNumber first;
  unsigned level = 0;

  // The smallest range that holds both pages.
  static constexpr NodeRange joining(base::PageNumber a, base::PageNumber b) {
    const std::uint64_t differing = a.value ^ b.value;
    const unsigned level =
        differing == 0 ? 0 : (static_cast<unsigned>(std::bit_width(differing)) - 1) / kLevelBits;
    return {{a.value >> shift_above(level) << shift_above(level)}, level};
  }
  [[nodiscard]] constexpr bool covers(base::PageNumber page) const {
    return (page.value ^ first.value) >> shift_above(level) == 0;
  }
  [[nodiscard]] constexpr std::size_t slot_of(base::PageNumber page) const {
    return (page.value >> (level * kLevelBits)) & (kFanOut - 1);
  }
  [[nodiscard]] constexpr base::PageRun slot_run(std::size_t slot) const {
    const unsigned shift = level * kLevelBits;
    return {{first.value + (std::uint64_t{slot} << shift)}, {1ull << shift}};
  }
  [[nodiscard]] constexpr base::PageRun run() const {
    return {first, {1ull << shift_above(level)}};
  }

 private:
  static constexpr unsigned shift_above(unsigned level) { return (level + 1) * kLevelBits; }
};

// A node's bytes, read where they lie (they need not be aligned).
class NodeView {
 public:
  NodeView() = default;
  explicit NodeView(std::span<const std::byte> bytes);

  // Whether the bytes have a node's shape: I2, I3 as far as they show in one node.
  [[nodiscard]] bool well_formed() const;
  [[nodiscard]] NodeRange range() const { return {header_.first(), header_.level()}; }
  [[nodiscard]] bool leaf() const { return header_.level() == 0; }
  [[nodiscard]] bool has(std::size_t slot) const { return (header_.bitmap() >> slot & 1) != 0; }
  // Of a leaf, a slot that it has.
  [[nodiscard]] ImageReference image(std::size_t slot) const;
  // Of an inner node, a slot that it has.
  [[nodiscard]] NodeReference child(std::size_t slot) const;

 private:
  [[nodiscard]] std::size_t reference_size() const {
    return leaf() ? sizeof(ImageReference) : sizeof(NodeReference);
  }
  [[nodiscard]] const std::byte* reference_at(std::size_t slot) const;

  std::span<const std::byte> bytes_;
  NodeHeader header_;
};

// A node being made: all slots, present or not. Inner nodes use `children`, leaves `images`.
struct NodeDraft {
  NodeRange range;
  std::array<NodeReference, kFanOut> children{};
  std::array<ImageReference, kFanOut> images{};

  static NodeDraft of(const NodeView& view);
  [[nodiscard]] std::size_t inhabited() const;
  // Writes the node's bytes to the front of `target` and returns them.
  std::span<const std::byte> encode(std::span<std::byte, kLongestNode> target) const;
};

}  // namespace revenant::store
