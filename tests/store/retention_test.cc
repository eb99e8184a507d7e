#include "store/retention.h"

#include <gtest/gtest.h>

#include "store/reclaimer.h"

namespace revenant::store {
namespace {

// A straight line of snapshots 1, 2, ..., each of which buried `dead` images of the one before.
std::vector<SnapshotBytes> line_of(std::uint64_t count, std::uint64_t dead) {
  std::vector<SnapshotBytes> snapshots(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    snapshots[i].revision = i + 1;
    snapshots[i].parent = i;
    snapshots[i].pages_total = 10;
    snapshots[i].dead_images = i == 0 ? 0 : dead;
  }
  return snapshots;
}

constexpr Policy kPolicy{.last = 10, .least = 3, .history_bytes = 1 << 20, .batch = 4};

TEST(ChooseVictims, WaitsForABatchAndTakesTheOldest) {
  EXPECT_TRUE(choose_victims(line_of(13, 1), {{13}}, kPolicy).empty());
  const std::vector<base::Epoch> oldest{{1}, {2}, {3}, {4}};
  EXPECT_EQ(choose_victims(line_of(14, 1), {{14}}, kPolicy), oldest);
}

TEST(ChooseVictims, SparesHeadsTagsAndForkPoints) {
  auto snapshots = line_of(20, 1);
  snapshots[19].parent = 3;  // 3 has the children 4 and 20
  const std::vector<base::Epoch> expected{{2}, {4}, {6}, {7}};
  EXPECT_EQ(choose_victims(snapshots, {{1}, {5}, {19}, {20}}, kPolicy), expected);
}

TEST(ChooseVictims, WeighsHistoryAgainstTheHead) {
  // 8 snapshots bury 100 images each, 2.8 MB in all: down to 1 MiB, without waiting for a batch.
  const auto victims = choose_victims(line_of(8, 100), {{8}}, kPolicy);
  EXPECT_EQ(victims.size(), 4u);
  // A head that is itself larger may have as much history.
  auto snapshots = line_of(8, 100);
  snapshots.back().pages_total = 10'000;
  EXPECT_TRUE(choose_victims(snapshots, {{8}}, kPolicy).empty());
  // The least stay, however large.
  EXPECT_EQ(choose_victims(line_of(5, 100'000), {{5}}, kPolicy).size(), 2u);
  EXPECT_TRUE(choose_victims(line_of(3, 100'000), {{3}}, kPolicy).empty());
}

}  // namespace
}  // namespace revenant::store
