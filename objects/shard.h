// A worker's own slabs: what makes allocation free of locks.
//
//   shard --+-- bin of each size class --+-- current slab     (allocated from)
//           |                            +-- partial slabs    (have free blocks)
//           +-- reserve                      empty slabs of no class, frames kept
//           +-- noted                        stack of slabs in which others freed blocks
//
// I1  A shard is worked on by one thread at a time: the one bound to its worker; for shards of
//     workers that this process does not have, worker (index % workers); for the common shard,
//     whoever holds lock_.
// I2  A slab with free bits is current, partial or in the reserve of exactly its owner.
// I3  A slab with remote bits is noted, or about to be by the thread that set them.
// I4  The reserve holds at most kReserveSlabs slabs.
//
// The stack of noted slabs is pushed to by anyone and emptied by the owner as a whole, so that it
// knows no ABA. A slab that changed owners while it was noted is handed on to the new one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/lock.h"
#include "objects/large_runs.h"
#include "objects/slab.h"

namespace revenant::objects {

struct World;

inline constexpr unsigned kWorkerShards = 63;
inline constexpr unsigned kCommonShard = kWorkerShards;

struct alignas(base::kPageSize) Shard {
  static constexpr std::uint32_t kReserveSlabs = 16;

  struct Bin {
    Slab* current;  // never null: no_slab stands in
    Slab* partial;
  };

  std::atomic<Slab*> noted;
  Slab* reserve;
  std::uint32_t reserve_count;
  std::uint16_t index;
  Bin bins[kClasses];
  Slab no_slab;  // has no blocks

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
  static void note(Slab& slab);
  static void push_partial(Shard& shard, Slab& slab);
  static void remove_partial(Shard& shard, Slab& slab);

  World& world_;
  LargeRuns& runs_;
  const unsigned workers_;
  base::Lock common_lock_{base::LockRank::kHeapSlab};
};

}  // namespace revenant::objects
