#include "store/snapshot_view.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "store/catalog.h"
#include "store/lmdb_environment.h"
#include "store/tree_reader.h"

namespace revenant::store {

SnapshotView::SnapshotView(std::unique_ptr<ReadTransaction> transaction, SnapshotRecord record,
                           const NodeReference& root)
    : transaction_(std::move(transaction)),
      record_(std::move(record)),
      root_(std::make_unique<NodeReference>(root)) {}

SnapshotView::SnapshotView(SnapshotView&&) noexcept = default;
SnapshotView& SnapshotView::operator=(SnapshotView&&) noexcept = default;
SnapshotView::~SnapshotView() = default;

base::Result<bool> SnapshotView::read(base::PageNumber page, std::byte* frame) const {
  ImageReference image;
  TreeOutcome found = TreeReader(*transaction_, *root_).find(page, image);
  if (found == TreeOutcome::kFound) found = load_image(*transaction_, image, frame);
  if (found == TreeOutcome::kDamaged) return damaged_pages(*transaction_, {page, {1}});
  return found == TreeOutcome::kFound;
}

base::Status SnapshotView::read_bytes(std::uintptr_t address, void* target,
                                      std::size_t size) const {
  auto* next = static_cast<std::byte*>(target);
  while (size > 0) {
    const base::PageNumber page = base::PageNumber::of(address);
    const std::size_t offset = address - page.address();
    const std::size_t part = std::min(size, base::kPageSize - offset);
    std::byte frame[base::kPageSize];
    REVENANT_ASSIGN(const bool present, read(page, frame));
    if (present) {
      std::memcpy(next, frame + offset, part);
    } else {
      std::memset(next, 0, part);
    }
    next += part;
    address += part;
    size -= part;
  }
  return {};
}

base::Result<std::optional<PageReference>> SnapshotView::find_reference(
    base::PageNumber page) const {
  return store::find_reference(*transaction_, *root_, page);
}

base::Status SnapshotView::for_each_page(const base::PageRun& range,
                                         const PageVisitor& visitor) const {
  const auto visit = [&](base::PageNumber page, const ImageReference& image) {
    return visitor(page, PageReference{image.birth(), image.hash});
  };
  auto walked = walk_images(*transaction_, *root_, range, visit);
  if (!walked.ok()) return walked.error();
  return {};
}

base::Status SnapshotView::renew() {
  transaction_->reset();
  if (!transaction_->renew()) {
    return transaction_->environment().damaged("it could not be read again");
  }
  REVENANT_ASSIGN(const SnapshotBytes bytes, read_snapshot(*transaction_, record_.revision));
  *root_ = bytes.root;
  return {};
}

}  // namespace revenant::store
