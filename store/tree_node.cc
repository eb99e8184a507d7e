#include "store/tree_node.h"

#include <algorithm>
#include <cstring>

namespace revenant::store {

NodeView::NodeView(std::span<const std::byte> bytes) : bytes_(bytes) {
  if (bytes.size() >= sizeof header_) std::memcpy(&header_, bytes.data(), sizeof header_);
}

bool NodeView::well_formed() const {
  if (bytes_.size() < sizeof header_ || !header_.known() || header_.level() >= kLevels)
    return false;
  const auto inhabited = static_cast<std::size_t>(std::popcount(header_.bitmap()));
  if (inhabited < (leaf() ? 1 : 2)) return false;  // I3
  const base::PageNumber first = header_.first();
  if (NodeRange::joining(first, first).first.value >> kPageNumberBits != 0) return false;
  const NodeRange aligned = range();
  if (aligned.run().first.value % aligned.run().count.value != 0) return false;  // I2
  return bytes_.size() == sizeof header_ + inhabited * reference_size();
}

const std::byte* NodeView::reference_at(std::size_t slot) const {
  const auto below = static_cast<std::uint8_t>(header_.bitmap() & ((1u << slot) - 1));
  const auto index = static_cast<std::size_t>(std::popcount(below));
  return bytes_.data() + sizeof header_ + index * reference_size();
}

ImageReference NodeView::image(std::size_t slot) const {
  ImageReference reference;
  std::memcpy(&reference, reference_at(slot), sizeof reference);
  return reference;
}

NodeReference NodeView::child(std::size_t slot) const {
  NodeReference reference;
  std::memcpy(&reference, reference_at(slot), sizeof reference);
  return reference;
}

NodeDraft NodeDraft::of(const NodeView& view) {
  NodeDraft draft{.range = view.range()};
  for (std::size_t slot = 0; slot < kFanOut; ++slot) {
    if (!view.has(slot)) continue;
    if (view.leaf()) {
      draft.images[slot] = view.image(slot);
    } else {
      draft.children[slot] = view.child(slot);
    }
  }
  return draft;
}

std::size_t NodeDraft::inhabited() const {
  const auto present = [](const auto& reference) { return reference.present(); };
  const auto count = range.level == 0 ? std::ranges::count_if(images, present)
                                      : std::ranges::count_if(children, present);
  return static_cast<std::size_t>(count);
}

std::span<const std::byte> NodeDraft::encode(std::span<std::byte, kLongestNode> target) const {
  std::size_t used = sizeof(NodeHeader);
  std::uint8_t bitmap = 0;
  const auto add = [&](std::size_t slot, const auto& reference) {
    if (!reference.present()) return;
    bitmap |= static_cast<std::uint8_t>(1u << slot);
    std::memcpy(target.data() + used, &reference, sizeof reference);
    used += sizeof reference;
  };
  for (std::size_t slot = 0; slot < kFanOut; ++slot) {
    if (range.level == 0) {
      add(slot, images[slot]);
    } else {
      add(slot, children[slot]);
    }
  }
  const NodeHeader header = NodeHeader::of(range.first, range.level, bitmap);
  std::memcpy(target.data(), &header, sizeof header);
  return target.first(used);
}

}  // namespace revenant::store
