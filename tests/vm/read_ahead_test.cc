// Windows that grow on sequences and shrink on misses.
#include "vm/read_ahead.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/seed.h"
#include "vm/space.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kLimit{16};
constexpr base::PageNumber kStart = kHeapRun.first;

base::PageNumber page(std::uint64_t index) { return kStart + base::PageCount{index}; }

TEST(ReadAheadTest, AscendingSequencesDoubleUpToTheLimit) {
  ReadAhead ahead;
  std::uint64_t at = 0;
  for (const std::uint64_t expected : {1, 2, 4, 8, 16, 16}) {
    const base::PageRun window = ahead.window_for(page(at), kLimit);
    EXPECT_EQ(window, (base::PageRun{page(at), {expected}}));
    at += expected;
  }
}

TEST(ReadAheadTest, DescendingSequencesDoubleDownwards) {
  ReadAhead ahead;
  std::uint64_t at = 500;
  for (const std::uint64_t expected : {1, 2, 4, 8, 16, 16}) {
    const base::PageRun window = ahead.window_for(page(at), kLimit);
    EXPECT_EQ(window, (base::PageRun{page(at + 1 - expected), {expected}}));
    at -= expected;
  }
}

TEST(ReadAheadTest, SkippingAFewPagesHalvesTheWindow) {
  ReadAhead ahead;
  for (std::uint64_t at : {0, 1, 3, 7}) (void)ahead.window_for(page(at), kLimit);
  EXPECT_EQ(ahead.window_for(page(15 + 3), kLimit).count.value, 4u);
}

TEST(ReadAheadTest, ARandomFaultAsksForItselfAlone) {
  ReadAhead ahead;
  for (std::uint64_t at : {0, 1, 3, 7}) (void)ahead.window_for(page(at), kLimit);
  EXPECT_EQ(ahead.window_for(page(400), kLimit), (base::PageRun{page(400), {1}}));
  EXPECT_EQ(ahead.window_for(page(15), kLimit).count.value, 16u) << "the stream is remembered";
}

TEST(ReadAheadTest, SeveralSequencesAreFollowedAtOnce) {
  ReadAhead ahead;
  std::uint64_t first = 0;
  std::uint64_t second = 100'000;
  for (int i = 0; i < 5; ++i) {
    first += ahead.window_for(page(first), kLimit).count.value;
    second += ahead.window_for(page(second), kLimit).count.value;
  }
  EXPECT_EQ(first, 31u);
  EXPECT_EQ(second, 100'031u);
}

TEST(ReadAheadTest, WindowsAlwaysHoldTheirPageAndStayInItsChunk) {
  std::mt19937_64 random(testing::seed());
  ReadAhead ahead;
  std::uint64_t at = 100'000;
  for (int i = 0; i < 100'000; ++i) {
    const base::PageCount limit{1 + random() % 32};
    const base::PageRun window = ahead.window_for(page(at), limit);
    ASSERT_TRUE(window.contains(page(at)));
    ASSERT_LE(window.count, limit);
    ASSERT_EQ(window.first.value / base::kPagesPerChunk,
              (window.end().value - 1) / base::kPagesPerChunk);
    const std::uint64_t kind = random() % 8;
    if (kind == 0) at = 100'000 + random() % 100'000;
    if (kind > 0) at = random() % 2 == 0 ? at + window.count.value : at - 1;
  }
}

}  // namespace
}  // namespace revenant::vm
