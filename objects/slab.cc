#include "objects/slab.h"

#include "base/check.h"

namespace revenant::objects {

void Slab::format(std::byte* memory, std::size_t size_class_index, std::uint16_t owner) {
  base = memory;
  size_class = static_cast<std::uint8_t>(size_class_index);
  used.store(0, std::memory_order_relaxed);
  types.store(nullptr, std::memory_order_relaxed);
  shard.store(owner, std::memory_order_relaxed);
  const std::size_t blocks = geometry().blocks;
  std::uint64_t words = 0;
  for (std::size_t word = 0; word * 64 < blocks; ++word) {
    const std::size_t count = blocks - word * 64;
    const std::uint64_t bits = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    free[word].store(bits, std::memory_order_relaxed);
    remote[word].store(0, std::memory_order_relaxed);
    words |= std::uint64_t{1} << word;
  }
  summary.store(words, std::memory_order_relaxed);  // I2
}

int Slab::collect_remote() {
  std::uint64_t words = summary.load(std::memory_order_relaxed);
  int twice = -1;
  for (unsigned word = 0; word * 64 < geometry().blocks; ++word) {
    if (remote[word].load(std::memory_order_relaxed) == 0) continue;
    const std::uint64_t more = remote[word].exchange(0, std::memory_order_acquire);
    const std::uint64_t bits = free[word].load(std::memory_order_relaxed);
    if ((bits & more) != 0) twice = static_cast<int>(word * 64) + std::countr_zero(bits & more);
    free[word].store(bits | more, std::memory_order_relaxed);
    words |= std::uint64_t{1} << word;
    add_used(-std::popcount(more & ~bits));
  }
  summary.store(words, std::memory_order_relaxed);
  return twice;
}

}  // namespace revenant::objects
