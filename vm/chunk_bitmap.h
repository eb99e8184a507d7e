// A set of chunks, walked without looking at the empty ones.
//
//   summary   64 words, a bit a leaf        0 0 1 0 ...
//   leaves    a bit a chunk                     \-> 0 1 1 1 0 ...
//
// I1  A chunk that set() returned for is found by every walk that starts later, until erased.
// I2  A summary bit is set before set() returns and never cleared: a stale one costs a walk one
//     word.
//
// Lock-free: set(), erase() and test() from anywhere, the fault handler included, beside walks.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "vm/space.h"

namespace revenant::vm {

class ChunkBitmap {
 public:
  void set(ChunkIndex chunk) noexcept {
    leaf(chunk).fetch_or(bit(chunk), std::memory_order_acq_rel);
    summary_[chunk.value >> 12].fetch_or(std::uint64_t{1} << ((chunk.value >> 6) & 63),
                                         std::memory_order_acq_rel);
  }
  void erase(ChunkIndex chunk) noexcept {
    leaf(chunk).fetch_and(~bit(chunk), std::memory_order_acq_rel);
  }
  [[nodiscard]] bool test(ChunkIndex chunk) const noexcept {
    return (leaves_[chunk.value >> 6].load(std::memory_order_acquire) & bit(chunk)) != 0;
  }
  void reset() noexcept;

  // Calls visit(ChunkRun) for each maximal run of chunks in the set, ascending, until it says
  // false.
  template <class Visit>
  void for_each_run(Visit&& visit) const {
    ChunkRun run{};
    for (std::uint32_t word = next_leaf(0); word < kLeaves; word = next_leaf(word + 1)) {
      std::uint64_t bits = leaves_[word].load(std::memory_order_acquire);
      while (bits != 0) {
        const std::uint32_t skip = static_cast<std::uint32_t>(std::countr_zero(bits));
        const std::uint32_t length = static_cast<std::uint32_t>(std::countr_one(bits >> skip));
        const ChunkRun found{{word * 64 + skip}, length};
        if (run.count != 0 && run.first.value + run.count == found.first.value) {
          run.count += length;
        } else {
          if (run.count != 0 && !visit(run)) return;
          run = found;
        }
        bits = length == 64 ? 0 : bits & ~(((std::uint64_t{1} << length) - 1) << skip);
      }
    }
    if (run.count != 0) visit(run);
  }

 private:
  static constexpr std::uint32_t kLeaves = kChunkLimit / 64;
  static_assert(kChunkLimit % 4096 == 0);

  static std::uint64_t bit(ChunkIndex chunk) { return std::uint64_t{1} << (chunk.value & 63); }
  std::atomic<std::uint64_t>& leaf(ChunkIndex chunk) { return leaves_[chunk.value >> 6]; }
  // The first leaf at or after `word` that may hold a bit; kLeaves if none does.
  [[nodiscard]] std::uint32_t next_leaf(std::uint32_t word) const;

  std::array<std::atomic<std::uint64_t>, kLeaves / 64> summary_{};
  std::array<std::atomic<std::uint64_t>, kLeaves> leaves_{};
};

}  // namespace revenant::vm
