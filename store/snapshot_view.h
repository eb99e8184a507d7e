// One snapshot, held still for reading.
//
//   view --- read transaction ---> LMDB's pages as they were when it began
//
// I1  While the view's transaction lives, nothing it can reach is reused, whatever is committed or
//     reclaimed meanwhile.
// I2  Every node and image is checked against its hash before it is believed.
//
// A view keeps LMDB from reusing what is reclaimed meanwhile, so the file grows: long readers call
// renew() about once a second.
//
// Threads: one at a time; other views and the owner's commits run beside it.
// Errors: kStoreDamaged names revision and page address; kNoSuchRevision after a renew() too late.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/units.h"
#include "store/page_reference.h"
#include "store/snapshot_record.h"

namespace revenant::store {

class ReadTransaction;
struct NodeReference;

class SnapshotView {
 public:
  SnapshotView(std::unique_ptr<ReadTransaction> transaction, SnapshotRecord record,
               const NodeReference& root);
  SnapshotView(SnapshotView&&) noexcept;
  SnapshotView& operator=(SnapshotView&&) noexcept;
  ~SnapshotView();

  [[nodiscard]] const SnapshotRecord& record() const { return record_; }

  // Copies the page's contents to `frame`, kPageSize bytes. False: it has no image, it is zeros.
  [[nodiscard]] base::Result<bool> read(base::PageNumber page, std::byte* frame) const;

  // Copies `size` bytes from `address` on, absent pages as zeros.
  base::Status read_bytes(std::uintptr_t address, void* target, std::size_t size) const;

  [[nodiscard]] base::Result<std::optional<PageReference>> find_reference(
      base::PageNumber page) const;

  // Visits the pages of `range` that have an image, in rising order. The visitor returns false to
  // end the walk.
  using PageVisitor = std::function<bool(base::PageNumber, const PageReference&)>;
  base::Status for_each_page(const base::PageRun& range, const PageVisitor& visitor) const;

  // Lets go of the past and takes hold again, of the same snapshot.
  base::Status renew();

 private:
  friend class Verifier;
  std::unique_ptr<ReadTransaction> transaction_;
  SnapshotRecord record_;
  std::unique_ptr<NodeReference> root_;
};

// All page numbers of the 48-bit space.
inline constexpr base::PageRun kAllPages{base::PageNumber{0}, base::PageCount{1ull << 36}};

}  // namespace revenant::store
