// Disks that are full or broken: the epoch is gone, the store is not, and the next try succeeds.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>

#include "store/lmdb_environment.h"
#include "store/store.h"
#include "tests/store/data_file.h"
#include "tests/store/failing_disk.h"
#include "tests/store/page_model.h"
#include "tests/support/forked.h"

namespace revenant::store {
namespace {

using namespace std::chrono_literals;

TEST_F(StoreFailureTest, AFullDiskLosesTheEpochOnly) {
  {
    const FileSizeLimit limit(1 << 20);
    const auto refused = commit_pages(*store_, 1000, 2);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, base::ErrorCode::kNoSpace) << refused.error().message;
    expect_pages(10, 1);
    EXPECT_TRUE(commit_pages(*store_, 5, 1).ok()) << "a small epoch still fits";
  }
  const auto committed = commit_pages(*store_, 1000, 3);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  expect_pages(1000, 3);
}

TEST_F(StoreFailureTest, AFlushedEpochThatFailsLeavesNothing) {
  EpochWriter& writer = store_->begin_epoch();
  const Frame frame = frame_of(2);
  ASSERT_TRUE(writer.put({kFirst}, frame.data(), hash_page(frame.data())).ok());
  ASSERT_TRUE(writer.flush().ok());
  {
    const FileSizeLimit limit(1);
    EXPECT_FALSE(writer.commit({}).ok());
  }
  EXPECT_FALSE(writer.open());
  expect_pages(10, 1);
  ASSERT_TRUE(commit_pages(*store_, 10, 4).ok());
  expect_pages(10, 4);
}

TEST_F(StoreFailureTest, ADeadEnvironmentIsOpenedAgain) {
  break_meta_writes(path_);
  EXPECT_FALSE(commit_pages(*store_, 10, 2).ok());
  expect_pages(10, 1);
  const auto committed = commit_pages(*store_, 10, 3);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  expect_pages(10, 3);
}

// Whatever prevents the opening: it is neither damage nor the end.
TEST_F(StoreFailureTest, WhileItCannotBeOpenedAgainItIsUnavailableNotDamaged) {
  break_meta_writes(path_);
  {
    const DataOutOfReach failure(path_);
    EXPECT_FALSE(commit_pages(*store_, 10, 2).ok());
    const auto refused = commit_pages(*store_, 10, 3);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, base::ErrorCode::kIoFailed) << refused.error().message;
    const auto again = store_->make_available();
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, base::ErrorCode::kIoFailed) << again.error().message;
    const auto reference = store_->find_reference({kFirst});
    ASSERT_FALSE(reference.ok());
    EXPECT_EQ(reference.error().code, base::ErrorCode::kIoFailed) << reference.error().message;
    const auto snapshots = store_->history().snapshots();
    ASSERT_FALSE(snapshots.ok());
    EXPECT_EQ(snapshots.error().code, base::ErrorCode::kIoFailed) << snapshots.error().message;
  }
  const auto available = store_->make_available();
  ASSERT_TRUE(available.ok()) << available.error().message;
  expect_pages(10, 1);
  const auto committed = commit_pages(*store_, 10, 4);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  expect_pages(10, 4);
}

TEST_F(StoreFailureTest, AFetchWaitsUntilItIsOpenedAgain) {
  Frame frame{};
  std::future<FetchOutcome> fetched;
  break_meta_writes(path_);
  {
    const DataOutOfReach failure(path_);
    ASSERT_FALSE(commit_pages(*store_, 10, 2).ok());
    fetched = std::async(std::launch::async,
                         [&] { return store_->fetch({kFirst}, base::kNoEpoch, frame.data()); });
    for (int attempt = 0; attempt < 20; ++attempt) {
      EXPECT_FALSE(store_->make_available().ok());
      EXPECT_EQ(fetched.wait_for(100ms), std::future_status::timeout);
    }
  }
  const auto available = store_->make_available();
  ASSERT_TRUE(available.ok()) << available.error().message;
  EXPECT_EQ(fetched.get(), FetchOutcome::kImage);
  EXPECT_EQ(frame, frame_of(1));
}

TEST_F(StoreFailureTest, AFetchThatIsGivenUpSaysThatTheStoreIsUnavailable) {
  Frame frame{};
  break_meta_writes(path_);
  const DataOutOfReach failure(path_);
  ASSERT_FALSE(commit_pages(*store_, 10, 2).ok());
  auto fetched = std::async(std::launch::async,
                            [&] { return store_->fetch({kFirst}, base::kNoEpoch, frame.data()); });
  store_->give_up_fetches();
  EXPECT_EQ(fetched.get(), FetchOutcome::kUnavailable);
}

TEST_F(StoreFailureTest, PagesThatCannotBeReadAreNoDamageAndAreLookedAtAgain) {
  open();  // not checked yet
  {
    const UnreadableData failure(path_);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto refused = commit_pages(*store_, 10, 2);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code, base::ErrorCode::kIoFailed) << refused.error().message;
      const std::string named = "reading " + (path_ / "data.mdb").string() + " failed: ";
      EXPECT_EQ(refused.error().message.substr(0, named.size()), named);
    }
    EXPECT_FALSE(store_->history().environment().check_structure(StructureExtent::kPages).ok());
  }
  expect_pages(10, 1);
  const auto committed = commit_pages(*store_, 10, 3);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  expect_pages(10, 3);
}

TEST_F(StoreFailureTest, WhatIsOpenedAgainIsCheckedBeforeItIsWrittenTo) {
  for (std::uint64_t stamp = 2; stamp < 6; ++stamp) {
    ASSERT_TRUE(commit_pages(*store_, 400, stamp).ok());
    ASSERT_TRUE(store_->reclaim_some({.last = 1, .least = 1, .history_bytes = 1, .batch = 1}).ok());
  }
  break_meta_writes(path_);
  ASSERT_FALSE(commit_pages(*store_, 1, 6).ok());
  ASSERT_TRUE(store_->make_available().ok());
  DataFile(path_).free_an_image_in_use();
  const auto refused = commit_pages(*store_, 1, 7);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kStoreDamaged) << refused.error().message;
}

// A commit that fails half-way leaves data.mdb longer than what is committed, and nothing has
// synced that: a power cut takes it back.
class PowerCut : public StoreFailureTest {
 protected:
  static void fail_to_commit(Store& store) {
    const FileSizeLimit limit(1 << 20);
    EXPECT_FALSE(commit_pages(store, 1000, 2).ok());
  }
  // What is committed stays, and one page less is missed.
  void cut_power_and_expect_whole() {
    store_.reset();
    const std::uintmax_t committed = (DataFile(path_).newest().last_page + 1) * kLmdbPageSize;
    ASSERT_GT(std::filesystem::file_size(data_), committed);
    std::filesystem::resize_file(data_, committed);
    open();
    expect_pages(10, 1);
    store_.reset();
    std::filesystem::resize_file(data_, committed - 1);
    EXPECT_EQ(Store::open(small_options(path_)).error().code, base::ErrorCode::kStoreDamaged);
  }

  const std::filesystem::path data_ = path_ / "data.mdb";
};

TEST_F(PowerCut, AfterAFailedCommitAndAnOrderlyEndTakesNothing) {
  fail_to_commit(*store_);
  store_->remember_size();
  cut_power_and_expect_whole();
}

TEST_F(PowerCut, AfterAKillWithinACommitAndAStartTakesNothing) {
  store_.reset();
  const int killed = testing::in_child([&] {
    const auto store = Store::open(small_options(path_));
    fail_to_commit(**store);
    return ::raise(SIGKILL);
  });
  ASSERT_EQ(killed, -1);
  const int started = testing::in_child([&] {
    const auto store = Store::open(small_options(path_));
    ::_exit(store.ok() && (*store)->begin_generation().ok() ? 0 : 1);
    return 0;
  });
  ASSERT_EQ(started, 0);
  cut_power_and_expect_whole();
}

TEST_F(StoreFailureTest, AnIdentityThatCannotBeRenewedDoesNotStopCommits) {
  std::filesystem::create_directory(path_ / "identity.new");  // in the way of its temporary file
  ASSERT_TRUE(commit_pages(*store_, 3000, 2).ok());
  expect_pages(3000, 2);
}

}  // namespace
}  // namespace revenant::store
