// Runs as a set of pages.
#include "vm/dirty_list.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/support/seed.h"

namespace revenant::vm {
namespace {

class DirtyListTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(list.open().ok()); }

  static base::PageRun run(std::uint64_t first, std::uint64_t count) { return {{first}, {count}}; }

  std::set<std::uint64_t> pages() const {
    std::set<std::uint64_t> all;
    for (const base::PageRun& run : list.runs()) {
      for (std::uint64_t i = 0; i < run.count.value; ++i) all.insert(run.first.value + i);
    }
    return all;
  }

  DirtyList list;
};

TEST_F(DirtyListTest, NeighboursMelt) {
  list.append(run(10, 2));
  list.append(run(12, 3));
  list.append(run(20, 0));
  ASSERT_EQ(list.runs().size(), 1u);
  EXPECT_EQ(list.runs()[0], run(10, 5));
  EXPECT_EQ(list.pages().value, 5u);
  list.clear();
  EXPECT_TRUE(list.empty());
}

TEST_F(DirtyListTest, NormalisedRunsAreSortedDisjointAndTheSamePages) {
  std::mt19937_64 random(testing::seed());
  for (int round = 0; round < 100; ++round) {
    list.clear();
    for (int i = 0; i < 200; ++i) list.append(run(random() % 2000, random() % 12));
    const std::set<std::uint64_t> before = pages();
    list.normalise();
    EXPECT_EQ(pages(), before);
    EXPECT_EQ(list.pages().value, before.size());
    for (std::size_t i = 1; i < list.runs().size(); ++i) {
      ASSERT_LT(list.runs()[i - 1].end(), list.runs()[i].first);
    }
  }
}

TEST_F(DirtyListTest, AppendingTheSamePagesForEverStaysSmall) {
  for (std::uint64_t i = 0; i < 1'000'000; ++i) list.append(run(i * 7919 % 1000 * 2, 1));
  EXPECT_LE(list.runs().size(), std::size_t{1} << 16);
  list.normalise();
  EXPECT_EQ(list.runs().size(), 1000u);
}

TEST_F(DirtyListTest, SwappingExchangesStorage) {
  DirtyList other;
  ASSERT_TRUE(other.open().ok());
  list.append(run(1, 1));
  other.append(run(5, 2));
  list.swap(other);
  EXPECT_EQ(list.runs()[0], run(5, 2));
  EXPECT_EQ(other.runs()[0], run(1, 1));
  list.append_all(other);
  EXPECT_EQ(list.pages().value, 3u);
}

}  // namespace
}  // namespace revenant::vm
