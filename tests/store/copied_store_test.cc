// A process that copies its own store as files: closing a descriptor of a file drops all record
// locks that the process has on it, the owner's and LMDB's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "store/owner_lock.h"
#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/forked.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

constexpr std::uint64_t kFirst = 0x560000000ull;
constexpr Policy kNone{.last = 1, .least = 1, .history_bytes = 0, .batch = 1};

class CopiedStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = std::move(Store::open(small_options(path_)).value());
    commit_stamp(1);
    std::filesystem::copy(path_, directory_ / "copy", std::filesystem::copy_options::recursive);
  }

  void commit_stamp(std::uint64_t stamp) {
    EpochWriter& writer = store_->begin_epoch();
    const Frame frame = frame_of(stamp);
    ASSERT_TRUE(writer.put({kFirst}, frame.data(), hash_page(frame.data())).ok());
    ASSERT_TRUE(writer.commit({}).ok());
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
  std::unique_ptr<Store> store_;
};

TEST_F(CopiedStoreTest, StaysItsOwners) {
  const int outcome = testing::in_child([&] {
    const auto second = Store::open(small_options(path_));
    return !second.ok() && second.error().code == base::ErrorCode::kStoreInUse ? 0 : 1;
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(CopiedStoreTest, StillHasAnOwnerToBeFound) {
  const pid_t owner = ::getpid();
  const int outcome = testing::in_child([&] {
    const auto found = find_owner(path_);
    if (!found.ok() || !found->owned) return 1;
    const auto copy = find_owner(directory_ / "copy");
    return found->process == owner && copy.ok() && !copy->owned ? 0 : 2;
  });
  EXPECT_EQ(outcome, 0);
}

// The tool finds the owner's readers alive, those of fetches and of views, and leaves them theirs.
TEST_F(CopiedStoreTest, KeepsItsReadersWhenTheToolLooksIn) {
  auto view = store_->history().view({1});
  ASSERT_TRUE(view.ok());
  const int outcome = testing::in_child([&] {
    const auto reader = StoreReader::open(path_);
    return reader.ok() && (*reader)->history().snapshots().value().size() == 1 ? 0 : 1;
  });
  ASSERT_EQ(outcome, 0);
  const auto found = store_->find_reference({kFirst});
  ASSERT_TRUE(found.ok()) << found.error().message;
  for (std::uint64_t stamp = 2; stamp < 30; ++stamp) {
    commit_stamp(stamp);
    ASSERT_TRUE(store_->reclaim_some(kNone).ok());
  }
  EXPECT_EQ(difference(*view, {{kFirst, 1}}), "");
  Frame frame;
  ASSERT_EQ(store_->fetch({kFirst}, base::kNoEpoch, frame.data()), FetchOutcome::kImage);
  EXPECT_EQ(frame, frame_of(29));
}

TEST_F(CopiedStoreTest, CanBeOpenedOnceItsOwnerIsGone) {
  store_.reset();
  EXPECT_TRUE(Store::open(small_options(path_)).ok());
}

}  // namespace
}  // namespace revenant::store
