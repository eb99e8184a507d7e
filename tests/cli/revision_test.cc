// What people call a snapshot leads to the right one, or to a sentence.
#include "cli/revision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace revenant::cli {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 10'000 * kSecond;

// main:  10 <- 11 <- 12 <- 15      side:  11 <- 13 <- 14        one snapshot a minute
class RevisionTest : public ::testing::Test {
 protected:
  RevisionTest() {
    add(10, 9, "main");  // its parent was not retained
    add(11, 10, "main");
    add(12, 11, "main");
    add(13, 11, "side");
    add(14, 13, "side");
    add(15, 12, "main");
    names_.branches = {{"main", {15}}, {"side", {14}}};
    names_.tags = {{"before-fix", {12}}, {"side", {10}}, {"gone", {3}}, {"latest", {10}}};
  }

  void add(std::uint64_t revision, std::uint64_t parent, const char* branch) {
    store::SnapshotRecord record;
    record.revision = {revision};
    record.parent = {parent};
    record.branch = branch;
    record.info.wall_time_ns = kNow - static_cast<std::int64_t>(15 - revision) * 60 * kSecond;
    names_.snapshots.push_back(record);
  }

  std::uint64_t find(std::string_view text) {
    const auto found = find_revision(names_, text, kNow);
    EXPECT_TRUE(found.ok()) << text << ": " << found.error().message;
    return found.ok() ? found->revision.value : 0;
  }

  void expect_refused(std::string_view text, ErrorCode code, const char* cause = "") {
    const auto found = find_revision(names_, text, kNow);
    ASSERT_FALSE(found.ok()) << text;
    EXPECT_EQ(found.error().code, code) << text;
    EXPECT_THAT(found.error().message, HasSubstr(cause));
  }

  Names names_;
};

TEST_F(RevisionTest, Numbers) {
  EXPECT_EQ(find("10"), 10u);
  EXPECT_EQ(find("13"), 13u);
  expect_refused("9", ErrorCode::kNoSuchRevision, "not retained");
  expect_refused("99999999999999999999999", ErrorCode::kNoSuchRevision);
}

TEST_F(RevisionTest, LatestIsTheNewestAndNoTagHidesIt) { EXPECT_EQ(find("latest"), 15u); }

TEST_F(RevisionTest, ParentsFollowTheBranch) {
  EXPECT_EQ(find("latest~1"), 12u);
  EXPECT_EQ(find("latest~3"), 10u);
  EXPECT_EQ(find("side~2"), 11u);
  EXPECT_EQ(find("14~0"), 14u);
  expect_refused("latest~4", ErrorCode::kNoSuchRevision, "reach back");
  expect_refused("latest~18446744073709551615", ErrorCode::kNoSuchRevision, "reach back");
}

TEST_F(RevisionTest, AParentThatIsNotOlderEndsTheWalk) {
  names_.snapshots.back().parent = {15};
  expect_refused("latest~1", ErrorCode::kNoSuchRevision, "reach back");
}

TEST_F(RevisionTest, AgesMeanTheNewestAtLeastThatOld) {
  EXPECT_EQ(find("@0"), 15u);
  EXPECT_EQ(find("@1m"), 14u);
  EXPECT_EQ(find("@61s"), 13u);
  EXPECT_EQ(find("@5m"), 10u);
  EXPECT_EQ(find("@2m~1"), 11u);
  expect_refused("@6m", ErrorCode::kNoSuchRevision, "that old");
  expect_refused("@soon", ErrorCode::kUsage, "length of time");
}

TEST_F(RevisionTest, NamesMeanBranchesBeforeTags) {
  EXPECT_EQ(find("main"), 15u);
  EXPECT_EQ(find("side"), 14u);
  EXPECT_EQ(find("before-fix"), 12u);
  expect_refused("gone", ErrorCode::kNoSuchRevision, "not in the store");
  expect_refused("nobody", ErrorCode::kNoSuchRevision, "no branch and no tag");
}

TEST_F(RevisionTest, WhatCannotBeARevisionIsAMistake) {
  for (const char* text : {"", "~", "~3", "latest~", "latest~x", "latest~-1", "latest~1~2~"}) {
    expect_refused(text, ErrorCode::kUsage);
  }
  expect_refused("live", ErrorCode::kUsage, "not available");
}

TEST_F(RevisionTest, AStoreWithoutSnapshotsSaysSo) {
  names_ = {};
  for (const char* text : {"latest", "1", "@1s", "main"}) {
    expect_refused(text, ErrorCode::kNoSuchRevision, "no snapshot yet");
  }
}

}  // namespace
}  // namespace revenant::cli
