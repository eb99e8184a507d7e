// A worker that does to the heap whatever comes to its mind, and knows what must be true of it.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "base/lock.h"
#include "objects/heap.h"

namespace revenant::objects {

// What the oracle knows of a live block.
struct LiveBlock {
  std::byte* begin;
  std::size_t bytes;      // as asked for
  std::uint64_t pattern;  // its contents
  TypeId type;
};

// Blocks on their way from the worker that made them to the one that frees them.
class Handover {
 public:
  void put(const LiveBlock& block);
  // False if there is none.
  bool take(LiveBlock& block);

 private:
  base::Lock lock_{base::LockRank::kMailbox};
  std::vector<LiveBlock> blocks_ REVENANT_GUARDED_BY(lock_);
};

class ModelWorker {
 public:
  ModelWorker(std::uint64_t seed, Handover& handover) : random_(seed), handover_(handover) {}

  // Does `steps` random operations, checking contents at each. Fails the test on a difference.
  void run(Heap& heap, int steps);
  [[nodiscard]] const std::vector<LiveBlock>& live() const { return live_; }
  std::vector<LiveBlock>& live() { return live_; }

 private:
  std::size_t random_size();
  void allocate(Heap& heap);
  void allocate_aligned(Heap& heap);
  void allocate_zeroed(Heap& heap);
  void reallocate(Heap& heap);
  void free_one(Heap& heap);
  void hand_over();
  void free_foreign(Heap& heap);
  void adopt(void* block, std::size_t bytes);
  LiveBlock take_random();

  std::mt19937_64 random_;
  Handover& handover_;
  std::vector<LiveBlock> live_;
};

// Writes or checks the contents: all of a small block, the ends and a word a page of a large one.
void fill(const LiveBlock& block);
[[nodiscard]] bool is_filled(const LiveBlock& block, std::size_t bytes);

// The heap's listing and resolving against the oracle's blocks.
void expect_same_blocks(const Heap& heap, const std::vector<const LiveBlock*>& expected,
                        std::mt19937_64& random);

}  // namespace revenant::objects
