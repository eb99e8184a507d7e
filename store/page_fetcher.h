// Images for the fault handler: lookups from a signal handler, many at once.
//
//   slots  [ txn | txn | txn | ... ]   read transactions made beforehand, reset while idle
//            ^ a fetch takes a free one by compare-and-swap, renews it (newest commit), looks up
//              head -> nodes -> image, copies, resets it, gives it back
//
// I1  A slot is used by one fetch at a time.
// I2  A renewed transaction sees the newest commit, and nothing it reaches is reused before its
//     reset: retention cannot pull the ground away.
// I3  close() returns once no fetch is under way; fetches wait until open(), however long: the
//     thread that faulted can do nothing else, and its page is not lost.
// I4  No allocation and no lock between taking a slot and giving it back.
//
// Threads: fetches on any, in handlers too. The rest by the writer, which never waits for itself.
// Errors: FetchOutcome::kDamaged; kUnavailable only after give_up().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "store/fetch_outcome.h"
#include "store/format.h"
#include "store/lmdb_environment.h"
#include "store/page_reference.h"
#include "store/tree_reader.h"

namespace revenant::store {

class PageFetcher {
 public:
  // More fetches than this at once wait for each other.
  static constexpr std::size_t kSlots = 64;

  explicit PageFetcher(const std::string& branch);

  base::Status open(LmdbEnvironment& environment);
  void close();
  [[nodiscard]] bool is_open() const { return open_.load(std::memory_order_relaxed); }
  // From now on fetches do not wait for open(): they end as kUnavailable.
  void give_up() { given_up_.store(true, std::memory_order_relaxed); }

  // The images of `run`, as Store::fetch_run.
  void fetch_run(const base::PageRun& run, base::Epoch not_before, std::byte* frames,
                 Fetched* fetched) noexcept;
  // One image, wherever it is referred to.
  FetchOutcome fetch_image(const ImageReference& image, std::byte* frame) noexcept;
  // What the head says of `page`. By the writer, and not in a handler.
  base::Result<std::optional<PageReference>> find(const LmdbEnvironment& environment,
                                                  base::PageNumber page);

 private:
  static constexpr std::uint32_t kClosed = 0;
  static constexpr std::uint32_t kFree = 1;
  static constexpr std::uint32_t kBusy = 2;

  struct Slot {
    std::atomic<std::uint32_t> state{kClosed};
    std::optional<ReadTransaction> transaction;  // guarded by `state`, and so is
    std::optional<Cursor> images;                // a cursor of the images
  };

  Slot* try_take() noexcept;
  Slot* take() noexcept;
  static void give_back(Slot& slot) noexcept;
  // The root of the branch's head as the slot's transaction sees it. kAbsent: no snapshot yet.
  TreeOutcome head_root(const ReadTransaction& transaction, NodeReference& root) const noexcept;

  const CatalogKey head_key_;
  std::array<Slot, kSlots> slots_;
  std::atomic<bool> open_{false};
  std::atomic<bool> given_up_{false};
};

}  // namespace revenant::store
