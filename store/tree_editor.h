// Makes the next snapshot's tree from its parent's, writing only what changed.
//
//   parent's root                      new root
//      / | \          drops, puts        / | \                                  .
//     a  b  c       ------------->      a  b' c      b' and the new root are written,
//        |                                 |         b and the old root have died,
//       leaf                             leaf'       a and c are shared
//
// I1  The result is (parent - drops) + puts, in the one shape that tree_node.h I3 gives it.
// I2  What the parent's tree has and the result has not is reported dead, each key once.
// I3  A subtree that no put or drop meets is neither read nor written; if nothing under a node
//     changed, the node itself is kept.
//
// Threads: the epoch's. Errors: kStoreDamaged, and whatever the sink meets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/format.h"
#include "store/tree_node.h"

namespace revenant::store {

class Transaction;

// Where nodes and deaths go.
class TreeSink {
 public:
  virtual ~TreeSink() = default;
  // Any transaction that sees the parent's tree; the sink may change it between two calls.
  [[nodiscard]] virtual const Transaction& transaction() const = 0;
  virtual base::Result<NodeReference> write_node(std::span<const std::byte> bytes) = 0;
  virtual base::Status died(const DeadEntry& entry) = 0;
};

struct PagePut {
  base::PageNumber page;
  ImageReference image;
};

class TreeEditor {
 public:
  // `drops` are sorted and apart.
  TreeEditor(TreeSink& sink, std::span<const base::PageRun> drops) : sink_(sink), drops_(drops) {}

  // `puts` are sorted, one a page; a put beats a drop. The result is absent when no page is left.
  base::Result<NodeReference> edit(const NodeReference& parent, std::span<const PagePut> puts);

  [[nodiscard]] std::int64_t pages_added() const { return pages_added_; }
  [[nodiscard]] std::int64_t nodes_added() const { return nodes_added_; }

 private:
  using Puts = std::span<const PagePut>;

  base::Result<NodeReference> merge(const NodeReference& old, const base::PageRun& within,
                                    Puts puts);
  base::Result<NodeReference> rewrite(const NodeReference& old, NodeDraft& draft, Puts puts);
  base::Result<bool> rewrite_leaf(NodeDraft& draft, Puts puts);
  base::Result<bool> rewrite_inner(NodeDraft& draft, Puts puts);
  base::Status kill_tree(const NodeReference& reference);
  base::Status kill_node(const NodeReference& reference);
  base::Status kill_image(const ImageReference& image);

  enum class Dropped { kNone, kSome, kAll };
  [[nodiscard]] Dropped dropped(const base::PageRun& run) const;

  TreeSink& sink_;
  const std::span<const base::PageRun> drops_;
  std::int64_t pages_added_ = 0;
  std::int64_t nodes_added_ = 0;
};

}  // namespace revenant::store
