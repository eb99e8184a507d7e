// The persistent heap: what new and malloc give green threads.
//
//   up to 8 KiB   a block of a slab of its size class, from the worker's own shard (shard.h)
//   above         whole pages of their own (large_runs.h)
//
// All state lies in the space (layout.h): attaching to it after a restart rebuilds nothing and
// touches nothing but the world. This class adds what a process brings: the locks, the page
// service, the count of workers.
//
// I1  A block's memory is disjoint from every other's and from all metadata.
// I2  Every pointer into a block, its begin included, resolves to the block.
// I3  What is freed twice, or was never allocated, is named through the misuse handler and changes
//     nothing.
// I4  The ticket of a page that belongs to no block and no slab in use is forbidden; of the others
//     it is stored, not before the epoch in which the page was carved.
//
// Threads and locks: allocate and free may be called by any thread. A thread bound to a worker
// allocates and frees its own blocks without a lock or an atomic operation; page runs change hands
// under kHeapRuns, threads bound to no worker share a shard, and free what is others', under
// kHeapSlab. Listing and checking want all others to stand still. No snapshot may be taken while a
// thread is inside a call: workers park outside, Stillness keeps the others out.
//
// Errors: exhaustion is a null pointer and ENOMEM; misuse does not return.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/lock.h"
#include "base/result.h"
#include "objects/heap_view.h"
#include "objects/large_runs.h"
#include "objects/page_service.h"
#include "objects/shard.h"

namespace revenant::objects {

struct World;

class Heap {
 public:
  static constexpr unsigned kMaxWorkers = kWorkerShards;

  // Over a created world whose heap may be new or old. Blocks of workers that are no more are taken
  // over by those that are. One heap a process at a time.
  Heap(World& world, PageService& pages, unsigned workers);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // The heap of this process, or null.
  static Heap* instance() noexcept { return instance_; }

  // From now on this OS thread is worker `index`. One thread a worker at a time.
  void bind_worker(unsigned index) noexcept;
  static void unbind_worker() noexcept;

  void* allocate(std::size_t bytes) noexcept;
  void* allocate_zeroed(std::size_t bytes) noexcept;
  // `alignment` is a power of two.
  void* allocate_aligned(std::size_t bytes, std::size_t alignment) noexcept;
  // As realloc: null allocates, zero bytes free and give null; null on failure, the block stays.
  void* reallocate(void* block, std::size_t bytes) noexcept;
  void free(void* block) noexcept;
  // The bytes at `block`'s disposal, at least those asked for.
  [[nodiscard]] std::size_t usable_size(void* block) noexcept;

  // Notes what the block that begins at `block` is.
  void set_type(void* block, TypeId type) noexcept;

  // Reading, as the tool does it on a dead image too.
  [[nodiscard]] const HeapView& view() const { return view_; }

  // Keeps threads that are no workers out of all that the heap is made of. For the step of a stop:
  // workers stand still then, others do not.
  class Stillness;

  // Full checks of all structures, for tests and `revenant verify`.
  [[nodiscard]] base::Status check_invariants() const;

  // For a thread about to idle: takes in what others freed of its blocks, and gives all free pages
  // back, those it kept in reserve too.
  void release_free_pages() noexcept;

 private:
  friend struct FastPath;

  void* allocate_slow(std::size_t bytes) noexcept;
  // Whole pages; `zeroed` says whether they must read as zeros.
  void* allocate_large(std::size_t bytes, std::size_t alignment, bool zeroed) noexcept;
  void free_slow(void* block) noexcept;
  // True if the block could be made to hold `bytes` where it is.
  bool resize_in_place(const Block& block, std::size_t bytes) noexcept;
  TypeId* make_type_slots(Slab& slab) noexcept;

  static inline Heap* instance_ = nullptr;

  HeapView view_;
  LargeRuns runs_;
  Shards shards_;
};

class Heap::Stillness {
 public:
  explicit Stillness(Heap& heap) REVENANT_NO_THREAD_SAFETY_ANALYSIS : shards_(heap.shards_.lock()),
                                                                      runs_(heap.runs_.lock()) {}

 private:
  base::LockGuard shards_;
  base::LockGuard runs_;
};

}  // namespace revenant::objects
