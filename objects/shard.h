// A worker's own slabs: what makes allocation free of locks.
//
//   shard --+-- bin of each size class --+-- current slab     (allocated from)
//           |                            +-- partial slabs    (had free blocks when last seen)
//           |                            +-- recent           (hints: blocks freed last)
//           +-- reserve                      empty slabs of no class, frames kept
//           +-- noted                        stack of slabs in which others freed blocks
//
// I1  A shard is worked on by one thread at a time: the one bound to its worker; for shards of
//     workers that this process does not have, worker (index % workers); for the common shard,
//     whoever holds lock_.
// I2  A slab with free bits is current, partial or in the reserve of exactly its owner. Partial
//     ones may have become full meanwhile.
// I3  A slab with remote bits is noted, or about to be by the thread that set them.
// I4  The reserve holds at most kReserveSlabs slabs.
//
// What was freed last is handed out first: it is in the cache, and its page is dirty already. The
// hints are no truth: a slab may hand out, or give back, what they name, and the bits decide.
//
// The stack of noted slabs is pushed to by anyone and emptied by the owner as a whole, so that it
// knows no ABA. A slab that changed owners while it was noted is handed on to the new one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

#include "base/lock.h"
#include "objects/large_runs.h"
#include "objects/slab.h"

namespace revenant::objects {

struct World;

inline constexpr unsigned kWorkerShards = 63;
inline constexpr unsigned kCommonShard = kWorkerShards;

struct alignas(base::kPageSize) Shard {
  static constexpr std::uint32_t kReserveSlabs = 16;

  static constexpr std::uint32_t kRecent = 8;

  struct Bin {
    Slab* current;  // never null: no_slab stands in
    Slab* partial;
    std::uint32_t recent_end;
    std::byte* recent[kRecent];  // a ring; null where there is none

    void push_recent(std::byte* block) { recent[recent_end++ % kRecent] = block; }
    std::byte* pop_recent() {
      std::byte*& last = recent[(recent_end - 1) % kRecent];
      if (last == nullptr) return nullptr;
      --recent_end;
      return std::exchange(last, nullptr);
    }
  };

  std::atomic<Slab*> noted;
  Slab* reserve;
  std::uint32_t reserve_count;
  std::uint16_t index;
  Bin bins[kClasses];
  Slab no_slab;  // has no blocks

  // The block freed last in the class, if it still is free and this shard's.
  std::byte* take_recent(std::size_t size_class) {
    std::byte* block = bins[size_class].pop_recent();
    if (block == nullptr) return nullptr;
    const std::uint64_t place = Slab::index_of(block);
    Slab& slab = Slab::at(place);
    if (Slab::kind(place).load(std::memory_order_relaxed) != size_class + 1 ||
        slab.shard.load(std::memory_order_relaxed) != index) [[unlikely]] {
      return nullptr;
    }
    const auto inside = static_cast<std::uint32_t>(block - slab.base);
    const std::uint32_t number = block_index(kGeometry[size_class], inside);
    return slab.take_block(number) ? block : nullptr;
  }

  static Shard& at(unsigned index) { return reinterpret_cast<Shard*>(kShardsAddress)[index]; }
};
static_assert(kShardsAddress + (kWorkerShards + 1) * sizeof(Shard) <= kRuntimeBlockAddress);

namespace detail {
// The shard of the worker that this OS thread is, or null. `__thread`: one instruction to read.
extern __thread Shard* current_shard __attribute__((tls_model("initial-exec")));
}  // namespace detail

class Shards {
 public:
  Shards(World& world, LargeRuns& runs, unsigned workers);

  // The shard of worker `index`, made usable if it never was.
  Shard& prepare(unsigned index);
  // A block of the class by this thread's shard, however long it takes; null when exhausted.
  std::byte* allocate(std::size_t size_class);
  // The block's bit was set by its owner, this thread, and its slab was full or is now empty.
  void after_free(Slab& slab);
  // Takes in remote frees and gives the reserve back: this thread's shard, and the common one.
  void tidy();
  // Frees block `index` of another's slab. False if it is free already.
  bool free_remote(Slab& slab, std::uint32_t index);

  // Held by a thread that is no worker while it is at work on any shard.
  [[nodiscard]] base::Lock& lock() REVENANT_RETURNS_LOCK(common_lock_) { return common_lock_; }

 private:
  std::byte* allocate_from(Shard& shard, std::size_t size_class);
  Slab* next_slab(Shard& shard, std::size_t size_class);
  Slab* fresh_slab(Shard& shard, std::size_t size_class);
  void drop_reserve(Shard& shard);
  void tidy(Shard& shard);
  void adopt_orphans(Shard& shard);
  void adopt(Shard& shard, Shard& orphan);
  // Empties `from`'s stack of noted slabs; those that `from` owns become `shard`'s.
  void collect(Shard& shard, Shard& from);
  void refile(Shard& shard, Slab& slab);
  void retire(Shard& shard, Slab& slab);
  static bool mark_remote(Slab& slab, std::uint32_t index);
  static void note(Slab& slab);
  static void push_partial(Shard& shard, Slab& slab);
  static void remove_partial(Shard& shard, Slab& slab);

  World& world_;
  LargeRuns& runs_;
  const unsigned workers_;
  base::Lock common_lock_{base::LockRank::kHeapSlab};
};

}  // namespace revenant::objects
