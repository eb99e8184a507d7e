// A value that one thread publishes and others read, in other processes too.
//
//   sequence n     slots[n % 2]        the newest value
//                  slots[(n + 1) % 2]  the one before, or the next, half written
//
// I1  A reader gets a value that was published as a whole, and never waits for the writer: one that
//     was stopped or killed half-way has touched only the slot that is not the newest.
// I2  The layout is words only, the same in every process that maps it. All zeros is a value-
//     initialised T, published.
//
// Threads: one writer; any readers, in signal handlers too.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace revenant::base {

template <class T>
class Published {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;

 public:
  void publish(const T& value) noexcept {
    std::array<std::uint64_t, kWords> words{};
    std::memcpy(words.data(), &value, sizeof(T));
    const std::uint64_t next = sequence_.load(std::memory_order_relaxed) + 1;
    auto& slot = slots_[next % 2];
    // Released one by one: whoever reads one of them sees that the value before has become old.
    for (std::size_t i = 0; i < kWords; ++i) slot[i].store(words[i], std::memory_order_release);
    sequence_.store(next, std::memory_order_release);
  }

  [[nodiscard]] T read() const noexcept {
    for (;;) {
      const std::uint64_t sequence = sequence_.load(std::memory_order_acquire);
      const auto& slot = slots_[sequence % 2];
      std::array<std::uint64_t, kWords> words;
      for (std::size_t i = 0; i < kWords; ++i) words[i] = slot[i].load(std::memory_order_acquire);
      if (sequence_.load(std::memory_order_relaxed) != sequence) continue;
      T value;
      std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
      return value;
    }
  }

 private:
  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::array<std::atomic<std::uint64_t>, kWords>, 2> slots_{};
};

}  // namespace revenant::base
