// How long each stop took: a ring of the newest ones, for statistics and benchmarks.
//
// Threads: one writer (the snapshotter), any readers; a reader may miss pauses that are overwritten
// while it copies.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace revenant::runtime {

class PauseLog {
 public:
  void add(std::uint32_t pause_us) {
    const std::uint64_t count = count_.load(std::memory_order_relaxed);
    pauses_us_[count % kCapacity].store(pause_us, std::memory_order_relaxed);
    count_.store(count + 1, std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }

  // The pauses from number `first` on that are still in the ring, oldest first.
  [[nodiscard]] std::vector<std::uint32_t> since(std::uint64_t first) const {
    std::vector<std::uint32_t> pauses_us;
    const std::uint64_t end = count();
    std::uint64_t number = end > kCapacity && first < end - kCapacity ? end - kCapacity : first;
    for (; number < end; ++number) {
      pauses_us.push_back(pauses_us_[number % kCapacity].load(std::memory_order_relaxed));
    }
    return pauses_us;
  }

 private:
  static constexpr std::uint64_t kCapacity = 1 << 16;
  std::array<std::atomic<std::uint32_t>, kCapacity> pauses_us_{};
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace revenant::runtime
