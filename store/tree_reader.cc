#include "store/tree_reader.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "store/lmdb_environment.h"

namespace revenant::store {

TreeOutcome load_node(const Transaction& transaction, const NodeReference& reference,
                      NodeView& node) noexcept {
  std::span<const std::byte> bytes;
  const Lookup found = transaction.get(Table::kNodes, integer_key(reference.key), bytes);
  if (found != Lookup::kFound || reference.algorithm() != Algorithm::kXxh3Whole) {
    return TreeOutcome::kDamaged;
  }
  if (hash_bytes(bytes) != reference.hash) return TreeOutcome::kDamaged;  // I1
  node = NodeView(bytes);
  return node.well_formed() ? TreeOutcome::kFound : TreeOutcome::kDamaged;
}

namespace {

TreeOutcome decode_image(std::span<const std::byte> bytes, const ImageReference& reference,
                         std::byte* frame) noexcept {
  if (bytes.size() != kImageValueSize || reference.algorithm() != Algorithm::kXxh3Whole) {
    return TreeOutcome::kDamaged;
  }
  std::memcpy(frame, bytes.data(), kImageValueSize);
  std::memcpy(frame + kImageValueSize, reference.tail.data(), kImageTailSize);
  return hash_page(frame) == reference.hash ? TreeOutcome::kFound : TreeOutcome::kDamaged;  // I1
}

}  // namespace

TreeOutcome load_image(const Transaction& transaction, const ImageReference& reference,
                       std::byte* frame) noexcept {
  std::span<const std::byte> bytes;
  const Lookup found = transaction.get(Table::kImages, integer_key(reference.key), bytes);
  return found == Lookup::kFound ? decode_image(bytes, reference, frame) : TreeOutcome::kDamaged;
}

TreeOutcome ImageReader::load(const ImageReference& reference, std::byte* frame) noexcept {
  const bool follows = key_ != 0 && reference.key == key_ + 1;
  Lookup found = follows ? images_.next() : Lookup::kMissing;
  if (found != Lookup::kFound || images_.integer() != reference.key) {
    found = images_.seek(integer_key(reference.key));
  }
  const bool there = found == Lookup::kFound && images_.integer() == reference.key;
  key_ = there ? reference.key : 0;
  return there ? decode_image(images_.value(), reference, frame) : TreeOutcome::kDamaged;
}

TreeOutcome TreeReader::find(base::PageNumber page, ImageReference& image) noexcept {
  if (!has_leaf_ || !leaf_.range().covers(page)) {
    has_leaf_ = false;
    if (!root_.present()) return TreeOutcome::kAbsent;
    NodeReference reference = root_;
    NodeView node;
    for (unsigned below = kLevels;; below = node.range().level) {
      if (load_node(transaction_, reference, node) != TreeOutcome::kFound) {
        return TreeOutcome::kDamaged;
      }
      if (node.range().level >= below) return TreeOutcome::kDamaged;
      if (!node.range().covers(page)) return TreeOutcome::kAbsent;
      if (node.leaf()) break;
      const std::size_t slot = node.range().slot_of(page);
      if (!node.has(slot)) return TreeOutcome::kAbsent;
      reference = node.child(slot);
    }
    leaf_ = node;
    has_leaf_ = true;
  }
  const std::size_t slot = leaf_.range().slot_of(page);
  if (!leaf_.has(slot)) return TreeOutcome::kAbsent;
  image = leaf_.image(slot);
  return TreeOutcome::kFound;
}

base::Result<std::optional<PageReference>> find_reference(const Transaction& transaction,
                                                          const NodeReference& root,
                                                          base::PageNumber page) {
  ImageReference image;
  switch (TreeReader(transaction, root).find(page, image)) {
    case TreeOutcome::kFound:
      return std::optional(PageReference{image.birth(), image.hash});
    case TreeOutcome::kAbsent:
      return std::optional<PageReference>();
    case TreeOutcome::kDamaged:
      break;
  }
  return damaged_pages(transaction, {page, {1}});
}

base::Result<bool> walk_images(const Transaction& transaction, const NodeReference& root,
                               const base::PageRun& range, const ImageVisitor& visitor) {
  if (!root.present()) return true;
  NodeView node;
  if (load_node(transaction, root, node) != TreeOutcome::kFound) {
    return damaged_pages(transaction, range);
  }
  for (std::size_t slot = 0; slot < kFanOut; ++slot) {
    const base::PageRun run = node.range().slot_run(slot);
    if (!node.has(slot) || run.end() <= range.first || range.end() <= run.first) continue;
    if (node.leaf()) {
      if (!visitor(run.first, node.image(slot))) return false;
      continue;
    }
    const base::PageNumber first = std::max(run.first, range.first);
    const base::PageRun part{first, std::min(run.end(), range.end()) - first};
    REVENANT_ASSIGN(const bool go_on, walk_images(transaction, node.child(slot), part, visitor));
    if (!go_on) return false;
  }
  return true;
}

base::Error damaged_pages(const Transaction& transaction, const base::PageRun& run) {
  char what[128];
  std::snprintf(what, sizeof what,
                "the images of addresses 0x%llx to 0x%llx are not what was written",
                static_cast<unsigned long long>(run.first.address()),
                static_cast<unsigned long long>(run.end().address()));
  return transaction.environment().damaged(what);
}

}  // namespace revenant::store
