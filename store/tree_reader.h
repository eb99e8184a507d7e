// Reads the snapshot tree: lookups that a fault handler may make, and walks for everyone else.
//
// I1  Bytes are believed only after their hash agreed with the reference that led to them; the
//     root's reference is vouched for by the seal of its record.
//
// find, load_node and load_image allocate nothing, take no lock and do not fail otherwise than by
// their outcome.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "store/lmdb_transaction.h"
#include "store/page_reference.h"
#include "store/tree_node.h"

namespace revenant::store {

enum class TreeOutcome : std::uint8_t { kFound, kAbsent, kDamaged };

// The node that `reference` names, checked. Never kAbsent: what is referred to must exist.
TreeOutcome load_node(const Transaction& transaction, const NodeReference& reference,
                      NodeView& node) noexcept;

// Copies the image to `frame`, kPageSize bytes, checked.
TreeOutcome load_image(const Transaction& transaction, const ImageReference& reference,
                       std::byte* frame) noexcept;

// Loads many images: those whose keys follow each other, as those of neighbours that were written
// together do, cost no search.
class ImageReader {
 public:
  // `images` is a cursor of the images' table, nowhere yet.
  explicit ImageReader(Cursor& images) : images_(images) {}

  // As load_image.
  TreeOutcome load(const ImageReference& reference, std::byte* frame) noexcept;

 private:
  Cursor& images_;
  std::uint64_t key_ = 0;  // where the cursor is; 0: nowhere
};

// Finds pages under one root. The leaf found last is kept, so that neighbours cost nothing.
class TreeReader {
 public:
  TreeReader(const Transaction& transaction, const NodeReference& root)
      : transaction_(transaction), root_(root) {}

  TreeOutcome find(base::PageNumber page, ImageReference& image) noexcept;

 private:
  const Transaction& transaction_;
  const NodeReference root_;
  NodeView leaf_;
  bool has_leaf_ = false;
};

// What the tree under `root` says of `page`; nothing when it has no image there. kStoreDamaged.
base::Result<std::optional<PageReference>> find_reference(const Transaction& transaction,
                                                          const NodeReference& root,
                                                          base::PageNumber page);

// Visits the images of `range` under `root` in page order; the visitor returns false to end. False
// also tells that the walk has ended so. kStoreDamaged names the pages that could not be reached.
using ImageVisitor = std::function<bool(base::PageNumber, const ImageReference&)>;
base::Result<bool> walk_images(const Transaction& transaction, const NodeReference& root,
                               const base::PageRun& range, const ImageVisitor& visitor);

// The error for damage below which the pages of `run` lie.
[[nodiscard]] base::Error damaged_pages(const Transaction& transaction, const base::PageRun& run);

}  // namespace revenant::store
