// Memory that is refused within a call to the store: the epoch may be gone, the store is not.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "store/store.h"
#include "tests/store/failing_disk.h"
#include "tests/store/page_model.h"
#include "tests/store/refused_allocation.h"
#include "tests/support/seed.h"

namespace revenant::store {
namespace {

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
    for (int epoch = 0; epoch < 2; ++epoch) {
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

}  // namespace
}  // namespace revenant::store
