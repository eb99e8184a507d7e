// Views beside an owner that goes on.
#include "store/snapshot_view.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

constexpr std::uint64_t kFirst = 0x560000000ull;
constexpr Policy kNone{.last = 1, .least = 1, .history_bytes = 0, .batch = 1};

void commit_stamp(Store& store, std::uint64_t stamp) {
  EpochWriter& writer = store.begin_epoch();
  const Frame frame = frame_of(stamp);
  ASSERT_TRUE(writer.put({kFirst}, frame.data(), hash_page(frame.data())).ok());
  ASSERT_TRUE(writer.commit({}).ok());
}

class SnapshotViewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(small_options(path_));
    ASSERT_TRUE(opened.ok());
    store_ = std::move(*opened);
    commit_stamp(*store_, 1);
  }

  // Commits and reclaims until revision 1 is gone and its pages have been used again.
  void move_on() {
    for (std::uint64_t stamp = 2; stamp < 30; ++stamp) {
      commit_stamp(*store_, stamp);
      ASSERT_TRUE(store_->reclaim_some(kNone).ok());
    }
    ASSERT_FALSE(store_->history().snapshot({1}).ok());
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
  std::unique_ptr<Store> store_;
};

TEST_F(SnapshotViewTest, HoldsItsSnapshotUntilRenewed) {
  auto view = store_->history().view({1});
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view->renew().ok());
  move_on();
  EXPECT_EQ(difference(*view, {{kFirst, 1}}), "");
  EXPECT_EQ(view->renew().error().code, base::ErrorCode::kNoSuchRevision);
}

TEST_F(SnapshotViewTest, AReaderInAnotherProcessIsHeldToo) {
  int ready[2];
  int go[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(go), 0);
  store_.reset();  // LMDB may not be carried over a fork
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    auto reader = StoreReader::open(path_);
    if (!reader.ok()) ::_exit(1);
    auto view = (*reader)->history().view({1});
    if (!view.ok() || ::write(ready[1], &byte, 1) != 1) ::_exit(2);
    if (::read(go[0], &byte, 1) != 1) ::_exit(3);
    if (!difference(*view, {{kFirst, 1}}).empty()) ::_exit(4);
    ::_exit((*reader)->history().head("main").value()->revision.value == 29 ? 0 : 5);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  store_ = std::move(Store::open(small_options(path_)).value());
  move_on();
  ASSERT_EQ(::write(go[1], &byte, 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "exit " << WEXITSTATUS(status);
}

TEST_F(SnapshotViewTest, ReadsBytesAcrossPagesAndHoles) {
  auto view = store_->history().view({1});
  ASSERT_TRUE(view.ok());
  const Frame frame = frame_of(1);
  std::array<std::byte, 3 * base::kPageSize> bytes;
  const std::uintptr_t start = base::PageNumber{kFirst}.address() - 100;
  ASSERT_TRUE(view->read_bytes(start, bytes.data(), bytes.size()).ok());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool inside = i >= 100 && i < 100 + frame.size();
    ASSERT_EQ(bytes[i], inside ? frame[i - 100] : std::byte{0}) << i;
  }
}

TEST_F(SnapshotViewTest, ABranchsNameIsNoTags) {
  const base::Epoch head = store_->head()->revision;
  EXPECT_EQ(store_->tag("main", head).error().code, base::ErrorCode::kNameTaken);
  EXPECT_EQ(store_->tag("latest", head).error().code, base::ErrorCode::kUsage);
  EXPECT_TRUE(store_->tag("main2", head).ok());
}

TEST_F(SnapshotViewTest, RecordsSayWhatWasCommitted) {
  EpochWriter& writer = store_->begin_epoch();
  const auto revision = writer.commit(
      {.generation = 3, .pause_us = 7, .threads = 2, .finished = true, .exit_code = -5});
  ASSERT_TRUE(revision.ok());
  ASSERT_TRUE(store_->tag("end", *revision).ok());
  commit_stamp(*store_, 2);
  const auto record = store_->history().snapshot(*revision);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->parent, base::Epoch{1});
  EXPECT_EQ(record->branch, "main");
  EXPECT_EQ(record->info.pause_us, 7u);
  EXPECT_EQ(record->info.exit_code, -5);
  EXPECT_TRUE(record->info.finished);
  EXPECT_EQ(record->pages_written, 0u);
  EXPECT_EQ(record->pages_total, 1u);
  EXPECT_GT(record->commit_us, 0u);
  EXPECT_EQ(record->tags, std::vector<std::string>{"end"});
}

}  // namespace
}  // namespace revenant::store
