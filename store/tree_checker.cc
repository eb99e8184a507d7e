#include "store/tree_checker.h"

#include <array>
#include <utility>

#include "store/tree_reader.h"

namespace revenant::store {
namespace {

constexpr std::uint64_t kImagesPerProgress = 4096;

}  // namespace

void TreeChecker::report(base::Epoch revision, std::optional<base::PageNumber> page,
                         std::string what) {
  ++report_.findings;
  if (sinks_.finding) sinks_.finding({revision, page, std::move(what)});
}

void TreeChecker::check(base::Epoch revision, const NodeReference& root, base::Epoch boundary,
                        KeySet& keys) {
  revision_ = revision;
  boundary_ = boundary;
  keys_ = &keys;
  if (root.present()) check_node(root, kAllPages, kLevels, revision);
}

bool TreeChecker::check_birth(base::Epoch birth, base::Epoch parent_birth, base::PageNumber page) {
  if (birth <= parent_birth && birth != base::kNoEpoch) return true;
  report(revision_, page, "a reference is younger than what refers to it");
  return false;
}

bool TreeChecker::shared(DeadKind kind, std::uint64_t key, base::Epoch birth,
                         base::PageNumber page) {
  auto& known = keys_->of(kind);
  const auto at = known.find(key);
  if (birth > boundary_) {  // I1
    if (at != known.end()) report(revision_, page, "a key is referred to twice");
    known.emplace(key, birth.value);
    return false;
  }
  if ((at == known.end() || at->second != birth.value) && keys_->complete) {
    report(revision_, page,
           "what it shares with its parent is on its dead list, or never was there");
  }
  return true;
}

void TreeChecker::check_node(const NodeReference& reference, const base::PageRun& within,
                             unsigned below, base::Epoch parent_birth) {
  if (!check_birth(reference.birth(), parent_birth, within.first)) return;
  if (shared(DeadKind::kNode, reference.key, reference.birth(), within.first)) return;
  ++report_.nodes;
  NodeView node;
  if (load_node(transaction_, reference, node) != TreeOutcome::kFound) {
    keys_->complete = false;
    return report(revision_, within.first, "a tree node is not what was written");  // I2
  }
  const NodeRange range = node.range();
  if (range.level >= below || range.first < within.first || range.run().end() > within.end()) {
    keys_->complete = false;
    return report(revision_, within.first, "a tree node stands in the wrong place");
  }
  for (std::size_t slot = 0; slot < kFanOut; ++slot) {
    if (!node.has(slot)) continue;
    const base::PageRun run = range.slot_run(slot);
    if (node.leaf()) {
      check_image(node.image(slot), run.first, reference.birth());
    } else {
      check_node(node.child(slot), run, range.level, reference.birth());
    }
  }
}

void TreeChecker::check_image(const ImageReference& image, base::PageNumber page,
                              base::Epoch parent_birth) {
  if (!check_birth(image.birth(), parent_birth, page)) return;
  if (shared(DeadKind::kImage, image.key, image.birth(), page)) return;
  std::array<std::byte, base::kPageSize> frame;
  if (load_image(transaction_, image, frame.data()) != TreeOutcome::kFound) {
    report(revision_, page, "a page's image is not what was written");
  }
  if (++report_.images % kImagesPerProgress == 0) progress();
}

void TreeChecker::progress() {
  if (sinks_.progress) sinks_.progress(report_);
}

}  // namespace revenant::store
