// Values that are published while others read them.
#include "base/published.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace revenant::base {
namespace {

struct Numbers {
  std::array<std::uint64_t, 40> all;
  std::uint32_t last;
};

Numbers filled_with(std::uint32_t number) {
  Numbers numbers{};
  numbers.all.fill(number);
  numbers.last = number;
  return numbers;
}

TEST(Published, ReadersSeeWholeValuesThatNeverGoBack) {
  constexpr std::uint32_t kValues = 200'000;
  Published<Numbers> published;
  EXPECT_EQ(published.read().last, 0u);
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      for (std::uint32_t before = 0; before < kValues;) {
        const Numbers read = published.read();
        const bool whole = std::ranges::all_of(read.all, [&](auto n) { return n == read.last; });
        if (!whole || read.last < before) ++torn;
        before = read.last;
      }
    });
  }
  for (std::uint32_t n = 1; n <= kValues; ++n) published.publish(filled_with(n));
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
}

// What a writer that is killed half-way leaves: the other slot in disorder.
TEST(Published, AHalfWrittenValueIsNotSeen) {
  Published<Numbers> published;
  published.publish(filled_with(1));  // into the second slot
  std::memset(reinterpret_cast<std::byte*>(&published) + sizeof(std::uint64_t), 0xee,
              sizeof(std::uint64_t) * 20);
  EXPECT_EQ(published.read().all[3], 1u);
  EXPECT_EQ(published.read().last, 1u);
}

}  // namespace
}  // namespace revenant::base
