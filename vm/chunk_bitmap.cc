#include "vm/chunk_bitmap.h"

namespace revenant::vm {

void ChunkBitmap::reset() noexcept {
  for (auto& word : summary_) word.store(0, std::memory_order_relaxed);
  for (auto& word : leaves_) word.store(0, std::memory_order_relaxed);
}

std::uint32_t ChunkBitmap::next_leaf(std::uint32_t word) const {
  for (std::uint32_t block = word / 64; block < summary_.size(); ++block) {
    std::uint64_t bits = summary_[block].load(std::memory_order_acquire);
    if (block == word / 64) bits &= ~std::uint64_t{0} << (word % 64);
    if (bits != 0) return block * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
  }
  return kLeaves;
}

}  // namespace revenant::vm
