// Disks that are full or broken, memory that is refused: the epoch is gone, the store is not, and
// the next try succeeds.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <random>

#include "store/store.h"
#include "tests/store/data_file.h"
#include "tests/store/page_model.h"
#include "tests/store/refused_allocation.h"
#include "tests/support/forked.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kFirst = 0x560000000ull;

base::Result<base::Epoch> commit_pages(Store& store, std::uint64_t count, std::uint64_t stamp) {
  EpochWriter& writer = store.begin_epoch();
  const Frame frame = frame_of(stamp);
  const ContentHash hash = hash_page(frame.data());
  for (std::uint64_t page = 0; page < count; ++page) {
    const auto put = writer.put({kFirst + page}, frame.data(), hash);
    if (!put.ok()) {
      writer.abort();
      return put.error();
    }
  }
  return writer.commit({});
}

// No file of this process grows beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

// The store's data.mdb cannot be opened again while it lives; who has it open keeps it.
class DataOutOfReach {
 public:
  explicit DataOutOfReach(const std::filesystem::path& store) : data_(store / "data.mdb") {
    std::filesystem::rename(data_, away());
    std::filesystem::create_directory(data_);
  }
  ~DataOutOfReach() {
    std::filesystem::remove(data_);
    std::filesystem::rename(away(), data_);
  }

 private:
  [[nodiscard]] std::filesystem::path away() const { return data_.string() + ".away"; }

  const std::filesystem::path data_;
};

// Replaces LMDB's descriptor for its meta pages (the one that writes synchronously) by one that
// cannot be written.
void break_meta_writes(const std::filesystem::path& store) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code failed;
    const auto target = std::filesystem::read_symlink(entry.path(), failed);
    const int number = std::stoi(entry.path().filename().string());
    if (target == store / "data.mdb" && (::fcntl(number, F_GETFL) & O_DSYNC) != 0) {
      const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
      ::dup2(full, number);
      ::close(full);
    }
  }
}

class StoreFailureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    ASSERT_TRUE(commit_pages(*store_, 10, 1).ok());
  }

  void open() {
    store_.reset();
    auto opened = Store::open(small_options(path_));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
  }

  void expect_pages(std::uint64_t count, std::uint64_t stamp) {
    Frame frame;
    for (std::uint64_t page = 0; page < count; ++page) {
      ASSERT_EQ(store_->fetch({kFirst + page}, base::kNoEpoch, frame.data()), FetchOutcome::kImage);
      EXPECT_EQ(frame, frame_of(stamp));
    }
    EXPECT_EQ(findings(store_->history()), "");
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
  std::unique_ptr<Store> store_;
};

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

// The host may refuse any allocation, and std::bad_alloc leaves a call half-way: each in turn.
class NoMemory : public StoreFailureTest {
 protected:
  void SetUp() override {
    StoreFailureTest::SetUp();
    for (std::uint64_t page = 0; page < 10; ++page) pages_[kFirst + page] = 1;
  }

  // A few pages at least, so that there is something to allocate for.
  std::vector<Change> draw() {
    std::vector<Change> changes = random_changes(random_, 20);
    for (std::uint64_t page = 0; page < 10; ++page) {
      changes.push_back({.run = {{kFirst + page}, {1}}, .stamp = random_()});
    }
    return changes;
  }

  base::Result<base::Epoch> commit_changes(const std::vector<Change>& changes) {
    writer_ = &store_->begin_epoch();
    for (const Change& change : changes) REVENANT_TRY(apply(change, *writer_));
    return writer_->commit({});
  }
  void give_up_epoch() const {
    if (writer_ != nullptr && writer_->open()) writer_->abort();
  }

  void take(const std::vector<Change>& changes) {
    for (const Change& change : changes) apply(change, pages_);
  }

  // Attempts the same with each allocation refused, until three attempts in a row ended before it.
  template <class Attempt>
  void for_each_allocation(const Attempt& attempt) {
    for (long number = 0, spared = 0; spared < 3 && !HasFailure(); ++number) {
      SCOPED_TRACE("allocation " + std::to_string(number));
      spared = attempt(number) ? 0 : spared + 1;
      expect_whole();
    }
  }

  // The next epochs commit, and all is there and whole.
  void expect_whole() {
    const auto available = store_->make_available();
    ASSERT_TRUE(available.ok()) << available.error().message;
    for (int epoch = 0; epoch < 3; ++epoch) {
      const auto changes = draw();
      const auto committed = commit_changes(changes);
      ASSERT_TRUE(committed.ok()) << committed.error().message;
      take(changes);
      const auto reclaimed = store_->reclaim_some(kPolicy);
      ASSERT_TRUE(reclaimed.ok()) << reclaimed.error().message;
    }
    auto view = store_->history().view(store_->head()->revision);
    ASSERT_TRUE(view.ok()) << view.error().message;
    EXPECT_EQ(difference(*view, pages_), "");
    EXPECT_EQ(findings(store_->history()), "");
  }

  // Deletes all but the newest snapshot, and frees in many small steps.
  static constexpr Policy kPolicy{.last = 1, .least = 1, .history_bytes = 1, .batch = 2};

  std::mt19937_64 random_{testing::seed()};
  Pages pages_;
  EpochWriter* writer_ = nullptr;  // of the last epoch
};

TEST_F(NoMemory, WithinReclaimingLeavesAWholeStore) {
  for_each_allocation([&](long number) {
    for (int epoch = 0; epoch < 2; ++epoch) {
      const auto changes = draw();
      EXPECT_TRUE(commit_changes(changes).ok());
      take(changes);
    }
    return testing::refuse_allocation_within(number, [&] { (void)store_->reclaim_some(kPolicy); });
  });
}

TEST_F(NoMemory, WithinATagLeavesAWholeStore) {
  for_each_allocation([&](long number) {
    const std::string name = "a tag with a long name " + std::to_string(number);
    return testing::refuse_allocation_within(
        number, [&] { (void)store_->tag(name, store_->head()->revision); });
  });
}

// In a store that has just been opened, and may still have to allocate what it keeps.
TEST_F(NoMemory, WithinAnEpochLosesItOrNothing) {
  for_each_allocation([&](long number) {
    open();
    const base::Epoch before = store_->head()->revision;
    const auto changes = draw();
    const bool refused =
        testing::refuse_allocation_within(number, [&] { (void)commit_changes(changes); });
    give_up_epoch();
    EXPECT_TRUE(store_->make_available().ok());
    if (store_->head()->revision != before) take(changes);
    return refused;
  });
}

// The commit fails, and the environment is opened again within it, or within the next one.
TEST_F(NoMemory, WhileADeadEnvironmentIsOpenedAgainLosesNothing) {
  for_each_allocation([&](long number) {
    break_meta_writes(path_);
    const auto changes = draw();
    const bool refused =
        testing::refuse_allocation_within(number, [&] { (void)commit_changes(changes); });
    give_up_epoch();
    if (commit_changes(changes).ok()) take(changes);
    return refused;
  });
}

TEST_F(StoreFailureTest, AnIdentityThatCannotBeRenewedDoesNotStopCommits) {
  std::filesystem::create_directory(path_ / "identity.new");  // in the way of its temporary file
  ASSERT_TRUE(commit_pages(*store_, 3000, 2).ok());
  expect_pages(3000, 2);
}

}  // namespace
}  // namespace revenant::store
