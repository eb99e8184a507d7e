#include "store/tree_editor.h"

#include <algorithm>

#include "store/tree_reader.h"

namespace revenant::store {
namespace {

constexpr base::PageRun kWholeSpace{{0}, {1ull << kPageNumberBits}};

// Takes the puts that lie before `end` off the front of `puts`.
std::span<const PagePut> take_before(std::span<const PagePut>& puts, base::PageNumber end) {
  const auto split = std::ranges::lower_bound(puts, end, {}, &PagePut::page);
  const auto count = static_cast<std::size_t>(split - puts.begin());
  const auto taken = puts.first(count);
  puts = puts.subspan(count);
  return taken;
}

}  // namespace

base::Result<NodeReference> TreeEditor::edit(const NodeReference& parent, Puts puts) {
  return merge(parent, kWholeSpace, puts);
}

TreeEditor::Dropped TreeEditor::dropped(const base::PageRun& run) const {
  const auto after = std::ranges::upper_bound(drops_, run.first, {}, &base::PageRun::first);
  if (after != drops_.begin()) {
    const base::PageRun& before = *(after - 1);
    if (before.end() >= run.end()) return Dropped::kAll;
    if (before.end() > run.first) return Dropped::kSome;
  }
  return after != drops_.end() && after->first < run.end() ? Dropped::kSome : Dropped::kNone;
}

// The tree under `old` with what of drops and puts lies in `within`, the slot it stands in.
base::Result<NodeReference> TreeEditor::merge(const NodeReference& old, const base::PageRun& within,
                                              Puts puts) {
  if (!old.present()) {
    if (puts.empty()) return old;
    NodeDraft fresh{.range = NodeRange::joining(puts.front().page, puts.back().page)};
    return rewrite(old, fresh, puts);
  }
  const Dropped drop = dropped(within);
  if (puts.empty() && drop == Dropped::kNone) return old;  // I3
  if (drop == Dropped::kAll) {
    REVENANT_TRY(kill_tree(old));
    return merge(NodeReference{}, within, puts);
  }
  NodeView view;
  if (load_node(sink_.transaction(), old, view) != TreeOutcome::kFound) {
    return damaged_pages(sink_.transaction(), within);
  }
  const NodeRange range = view.range();
  if (puts.empty() || (range.covers(puts.front().page) && range.covers(puts.back().page))) {
    NodeDraft draft = NodeDraft::of(view);
    return rewrite(old, draft, puts);
  }
  // Some puts lie beside the old node: a wider node takes it in as a child.
  const base::PageNumber lowest = std::min(range.first, puts.front().page);
  const base::PageNumber highest =
      std::max(range.first + base::PageCount{range.run().count.value - 1}, puts.back().page);
  NodeDraft wider{.range = NodeRange::joining(lowest, highest)};
  wider.children[wider.range.slot_of(range.first)] = old;
  return rewrite(NodeReference{}, wider, puts);
}

// Writes the draft, changed by puts and drops, in place of `old` (absent: beside what there is).
base::Result<NodeReference> TreeEditor::rewrite(const NodeReference& old, NodeDraft& draft,
                                                Puts puts) {
  REVENANT_ASSIGN(const bool changed,
                  draft.range.level == 0 ? rewrite_leaf(draft, puts) : rewrite_inner(draft, puts));
  if (old.present() && !changed) return old;  // I3
  if (old.present()) REVENANT_TRY(kill_node(old));
  const std::size_t inhabited = draft.inhabited();
  if (inhabited == 0) return NodeReference{};
  if (inhabited == 1 && draft.range.level > 0) {  // tree_node.h I3
    return *std::ranges::find_if(draft.children, &NodeReference::present);
  }
  std::array<std::byte, kLongestNode> bytes;
  ++nodes_added_;
  return sink_.write_node(draft.encode(bytes));
}

base::Result<bool> TreeEditor::rewrite_leaf(NodeDraft& draft, Puts puts) {
  bool changed = !puts.empty();
  for (std::size_t slot = 0; slot < kFanOut; ++slot) {
    const base::PageRun page = draft.range.slot_run(slot);
    const Puts put = take_before(puts, page.end());
    ImageReference& image = draft.images[slot];
    if (put.empty() && (!image.present() || dropped(page) == Dropped::kNone)) continue;
    changed = true;
    if (image.present()) REVENANT_TRY(kill_image(image));
    image = put.empty() ? ImageReference{} : put.front().image;
    if (!put.empty()) ++pages_added_;
  }
  return changed;
}

base::Result<bool> TreeEditor::rewrite_inner(NodeDraft& draft, Puts puts) {
  bool changed = false;
  for (std::size_t slot = 0; slot < kFanOut; ++slot) {
    const base::PageRun run = draft.range.slot_run(slot);
    const Puts below = take_before(puts, run.end());
    REVENANT_ASSIGN(const NodeReference child, merge(draft.children[slot], run, below));
    changed |= !(child == draft.children[slot]);
    draft.children[slot] = child;
  }
  return changed;
}

base::Status TreeEditor::kill_tree(const NodeReference& reference) {
  NodeView view;
  if (load_node(sink_.transaction(), reference, view) != TreeOutcome::kFound) {
    return damaged_pages(sink_.transaction(), kWholeSpace);
  }
  // Copied: reporting a death may end the transaction that the view's bytes live in.
  const NodeDraft node = NodeDraft::of(view);
  for (const NodeReference& child : node.children) {
    if (child.present()) REVENANT_TRY(kill_tree(child));
  }
  for (const ImageReference& image : node.images) {
    if (image.present()) REVENANT_TRY(kill_image(image));
  }
  return kill_node(reference);
}

base::Status TreeEditor::kill_node(const NodeReference& reference) {
  --nodes_added_;
  return sink_.died(DeadEntry::of(DeadKind::kNode, reference.birth(), reference.key));
}

base::Status TreeEditor::kill_image(const ImageReference& image) {
  --pages_added_;
  return sink_.died(DeadEntry::of(DeadKind::kImage, image.birth(), image.key));
}

}  // namespace revenant::store
