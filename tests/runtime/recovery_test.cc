// Every input matches exactly one row of the recovery table.
#include "runtime/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace revenant::runtime {
namespace {

TEST(RecoveryTest, EveryInputMatchesExactlyOneRow) {
  for (const FoundHead head : {FoundHead::kNone, FoundHead::kRunning, FoundHead::kFinished}) {
    for (const FoundBuild build : {FoundBuild::kSame, FoundBuild::kAnother}) {
      for (const bool upgrade : {false, true}) {
        const Found found{head, build, upgrade};
        const auto rows = std::ranges::count_if(
            recovery_table(), [&](const RecoveryRow& row) { return matches(row, found); });
        EXPECT_EQ(rows, 1) << static_cast<int>(head) << static_cast<int>(build) << upgrade;
      }
    }
  }
}

TEST(RecoveryTest, EveryRowIsReached) {
  for (const RecoveryRow& row : recovery_table()) {
    const Found found{row.head, row.build.value_or(FoundBuild::kSame), row.upgrade.value_or(false)};
    EXPECT_EQ(decide(found), row.action);
  }
}

TEST(RecoveryTest, TheHeadSaysWhatIsFound) {
  const store::BuildId own{1, 2, 3};
  store::SnapshotRecord record;
  EXPECT_EQ(find(std::nullopt, own, false).head, FoundHead::kNone);
  record.info.build_id = own;
  EXPECT_EQ(find(record, own, false).build, FoundBuild::kSame);
  EXPECT_EQ(find(record, own, false).head, FoundHead::kRunning);
  record.info.build_id[0] = 9;
  record.info.finished = true;
  EXPECT_EQ(find(record, own, true).build, FoundBuild::kAnother);
  EXPECT_EQ(find(record, own, true).head, FoundHead::kFinished);
}

}  // namespace
}  // namespace revenant::runtime
