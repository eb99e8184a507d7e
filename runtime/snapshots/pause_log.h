// How long each stop took, or each of something else: a ring of the newest times, for statistics
// and benchmarks.
//
// Threads: one writer (the snapshotter), any readers, in other processes too; a reader may miss
// times that are overwritten while it copies.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace revenant::runtime {

template <std::uint64_t kCapacity>
class RecentTimes {
 public:
  void add(std::uint32_t time_us) {
    const std::uint64_t count = count_.load(std::memory_order_relaxed);
    times_us_[count % kCapacity].store(time_us, std::memory_order_relaxed);
    count_.store(count + 1, std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }

  // The times from number `first` on that are still in the ring, oldest first.
  [[nodiscard]] std::vector<std::uint32_t> since(std::uint64_t first) const {
    std::vector<std::uint32_t> times_us;
    const std::uint64_t end = count();
    std::uint64_t number = end > kCapacity && first < end - kCapacity ? end - kCapacity : first;
    for (; number < end; ++number) {
      times_us.push_back(times_us_[number % kCapacity].load(std::memory_order_relaxed));
    }
    return times_us;
  }

 private:
  std::array<std::atomic<std::uint32_t>, kCapacity> times_us_{};
  std::atomic<std::uint64_t> count_{0};
};

using PauseLog = RecentTimes<1 << 16>;

}  // namespace revenant::runtime
