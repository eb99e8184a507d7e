#include "base/units.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <type_traits>
#include <unordered_set>

namespace revenant::base {
namespace {

static_assert(!std::is_convertible_v<PageNumber, PageCount>);
static_assert(!std::is_convertible_v<PageCount, PageNumber>);
static_assert(!std::is_convertible_v<Epoch, PageNumber>);
static_assert(!std::is_convertible_v<PageNumber, std::uint64_t>);
static_assert(kPagesPerChunk == 512);

TEST(PageCount, HoldingRoundsUp) {
  EXPECT_EQ(PageCount::holding(0).value, 0U);
  EXPECT_EQ(PageCount::holding(1).value, 1U);
  EXPECT_EQ(PageCount::holding(kPageSize).value, 1U);
  EXPECT_EQ(PageCount::holding(kPageSize + 1).value, 2U);
  EXPECT_EQ(PageCount::holding(UINT64_MAX).value, std::uint64_t{1} << 52);
}

TEST(PageCount, AddsAndSubtracts) {
  PageCount count{5};
  count += PageCount{3};
  count -= PageCount{6};
  EXPECT_EQ(count, PageCount{2});
  EXPECT_EQ(count.bytes(), 2 * kPageSize);
}

TEST(PageNumber, IsTheAddressDividedByThePageSize) {
  constexpr std::uintptr_t kSpace = 0x560000000000;
  constexpr PageNumber page = PageNumber::of(kSpace + 3 * kPageSize + 17);
  static_assert(page.address() == kSpace + 3 * kPageSize);
  EXPECT_EQ(page - PageNumber::of(kSpace), PageCount{3});
  EXPECT_EQ(page - PageCount{3}, PageNumber::of(kSpace));
  EXPECT_EQ(PageNumber::of(kSpace) + PageCount{3}, page);
  const int on_the_stack = 0;
  const PageNumber here = PageNumber::of(&on_the_stack);
  EXPECT_LE(here.pointer(), reinterpret_cast<const std::byte*>(&on_the_stack));
  EXPECT_GT((here + PageCount{1}).pointer(), reinterpret_cast<const std::byte*>(&on_the_stack));
}

TEST(PageRun, IsHalfOpen) {
  constexpr PageRun run{{10}, {4}};
  EXPECT_EQ(run.end(), PageNumber{14});
  EXPECT_FALSE(run.contains({9}));
  EXPECT_TRUE(run.contains({10}));
  EXPECT_TRUE(run.contains({13}));
  EXPECT_FALSE(run.contains({14}));
  EXPECT_FALSE((PageRun{{10}, {0}}.contains({10})));
}

TEST(PageRun, OverlapsWhereAPageIsInBoth) {
  constexpr PageRun run{{10}, {4}};
  const std::array<PageRun, 4> runs{{{{0}, {10}}, {{9}, {2}}, {{13}, {9}}, {{14}, {1}}}};
  for (const PageRun& other : runs) {
    bool shared = false;
    for (PageNumber page = run.first; page < run.end(); ++page) shared |= other.contains(page);
    EXPECT_EQ(run.overlaps(other), shared) << other.first.value;
    EXPECT_EQ(other.overlaps(run), shared) << other.first.value;
  }
}

TEST(Epoch, Rises) {
  EXPECT_LT(kNoEpoch, kNoEpoch.next());
  EXPECT_EQ(Epoch{41}.next(), Epoch{42});
}

// Tables mask a hash's low bits: strides by powers of two must not meet in a few buckets.
TEST(PageNumber, HashSpreadsStrides) {
  constexpr std::uint64_t kKeys = 4096;
  for (unsigned shift = 0; shift <= 24; ++shift) {
    std::unordered_set<std::uint64_t> buckets;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      buckets.insert(std::hash<PageNumber>()({0x560000000 + (i << shift)}) & (kKeys - 1));
    }
    // Random keys would fill 1 - 1/e of the buckets.
    EXPECT_GT(buckets.size(), kKeys / 2) << "stride of 2^" << shift << " pages";
  }
}

}  // namespace
}  // namespace revenant::base
