// Whole pages: blocks above 8 KiB, slabs, and the heap's own tables.
//
//   carve ---> retained (best fit) ---> released (best fit) ---> top of what was ever used
//   free  ---> retained --(>= 64 pages, or 1024 pages in all)--> released
//
// Free runs stand in two treaps by (pages, address): retained ones still have frames, and are
// preferred; released ones have none, and read as zeros when they come back. Neighbours of the same
// kind are joined.
//
// I1  No two neighbouring free runs are of the same kind.
// I2  retained_pages and released_pages are the sums over their treaps.
// I3  No page at or above top was ever carved.
// I4  Before PageService::release is called the pages' words say so, and so do their tickets.
//
// Threads and locks: everything under lock_ (kHeapRuns). The state is in the world.
// Errors: an empty optional when the heap's addresses are exhausted.
#pragma once

#include <cstdint>
#include <optional>

#include "base/lock.h"
#include "base/result.h"
#include "objects/heap_state.h"
#include "objects/page_service.h"
#include "objects/run_records.h"

namespace revenant::objects {

struct World;

class LargeRuns {
 public:
  static constexpr std::uint64_t kReleaseAtOncePages = 64;
  static constexpr std::uint64_t kMaxRetainedPages = 1024;

  struct Carved {
    RunRecord* record;
    bool zeros;  // reads as zeros, now and after a restart
  };

  LargeRuns(World& world, PageService& service);

  // `pages` pages at a multiple of `alignment_pages` (a power of two).
  std::optional<Carved> carve(std::uint64_t pages, std::uint64_t alignment_pages, PageKind kind);
  void free(RunRecord& run);
  // Frees the kLarge run that begins at `begin`; false if there is none.
  bool free_block(const std::byte* begin);
  // True if the run now has `pages` pages, in place.
  bool resize(RunRecord& run, std::uint64_t pages);
  void release_retained();

  [[nodiscard]] base::Lock& lock() REVENANT_RETURNS_LOCK(lock_) { return lock_; }

  [[nodiscard]] base::Status check_invariants() const;

 private:
  struct SizeOrder {
    static std::uint64_t key(const RunRecord& run) { return run.pages * kIndexLimit + run.index(); }
    static constexpr std::uint64_t kIndexLimit = std::uint64_t{1} << 32;
  };
  using FreeTree = Treap<RunRecord, &RunRecord::links, SizeOrder>;

  FreeTree tree(PageKind kind) const REVENANT_REQUIRES(lock_);
  RunRecord* find_fit(PageKind kind, std::uint64_t pages, std::uint64_t alignment)
      REVENANT_REQUIRES(lock_);
  RunRecord* extend_top(std::uint64_t pages, std::uint64_t alignment) REVENANT_REQUIRES(lock_);
  Carved cut(RunRecord& run, std::uint64_t pages, std::uint64_t alignment, PageKind kind)
      REVENANT_REQUIRES(lock_);
  void take_out(RunRecord& run, PageKind kind) REVENANT_REQUIRES(lock_);
  RunRecord& put_free(std::uint64_t first, std::uint64_t pages, PageKind kind, std::uint64_t epoch)
      REVENANT_REQUIRES(lock_);
  void put_retained(std::uint64_t first, std::uint64_t pages) REVENANT_REQUIRES(lock_);
  void release(RunRecord& run) REVENANT_REQUIRES(lock_);
  void release_all() REVENANT_REQUIRES(lock_);
  bool grow(RunRecord& run, std::uint64_t pages) REVENANT_REQUIRES(lock_);

  World& world_;
  RunState& state_;
  PageService& service_;
  mutable base::Lock lock_{base::LockRank::kHeapRuns};
};

}  // namespace revenant::objects
