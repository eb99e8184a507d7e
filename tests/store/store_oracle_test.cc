// Random lives of a store against a model of every revision it retains.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

class OracleRun {
 public:
  explicit OracleRun(const std::filesystem::path& path) : path_(path) { reopen(); }

  void step() {
    switch (random_() % 20) {
      case 16:
      case 17:
      case 18:
        return park();
      case 19:
        return forget_parked();
      case 0:
        return reopen();
      case 1:
        return tag();
      case 2:
        return abort();
      case 3:
      case 4:
        return reclaim();
      default:
        return commit();
    }
  }

  void check_all() {
    auto snapshots = store_->history().snapshots();
    ASSERT_TRUE(snapshots.ok());
    for (const SnapshotRecord& record : *snapshots) {
      auto view = store_->history().view(record.revision);
      ASSERT_TRUE(view.ok()) << view.error().message;
      EXPECT_EQ(difference(*view, revisions_.at(record.revision)), "") << record.revision.value;
    }
    for (const auto& [name, revision] : tags_) {
      EXPECT_TRUE(store_->history().snapshot(revision).ok()) << name;
    }
    EXPECT_EQ(findings(store_->history()), "");
    check_fetch();
  }

 private:
  void reopen() {
    store_.reset();
    parked_.clear();  // no snapshot has it
    auto opened = Store::open(small_options(path_));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
    auto generation = store_->begin_generation();
    ASSERT_TRUE(generation.ok());
    EXPECT_EQ(*generation, ++generation_);
  }

  void commit() {
    EpochWriter& writer = store_->begin_epoch();
    std::set<std::uint64_t> put;
    for (const Change& change : random_changes(random_, 40)) {
      ASSERT_TRUE(apply(change, writer).ok());
      apply(change, pages_);
      if (change.is_drop) {
        std::erase_if(put, [&](std::uint64_t page) { return change.run.contains({page}); });
      } else {
        put.insert(change.run.first.value);
      }
      if (random_() % 16 != 0) continue;
      ASSERT_TRUE(writer.flush().ok());
    }
    check_parked();
    for (const auto& [page, parked] : parked_) {
      if (!put.contains(page)) pages_[page] = parked.stamp;
    }
    auto revision = writer.commit({.generation = generation_});
    ASSERT_TRUE(revision.ok()) << revision.error().message;
    EXPECT_EQ(revision->value, revisions_.empty() ? 1 : revisions_.rbegin()->first.value + 1);
    revisions_[*revision] = pages_;
    std::set<std::uint64_t> settled;
    store_->settle_parked([&](base::PageNumber page, const ContentHash& hash) {
      EXPECT_EQ(hash, hash_page(frame_of(parked_.at(page.value).stamp).data()));
      settled.insert(page.value);
    });
    EXPECT_EQ(settled.size(), parked_.size());
    EXPECT_FALSE(store_->has_parked());
    parked_.clear();
  }

  void park() {
    for (const Change& change : random_changes(random_, 20)) {
      if (change.is_drop) continue;
      const Frame frame = frame_of(change.stamp);
      auto number = store_->park(change.run.first, frame.data(), hash_page(frame.data()));
      ASSERT_TRUE(number.ok()) << number.error().message;
      parked_[change.run.first.value] = {change.stamp, *number};
    }
    ASSERT_TRUE(store_->finish_parking().ok());
    check_parked();
  }

  void forget_parked() {
    for (const Change& change : random_changes(random_, 4)) {
      // Every third page lives there again.
      const auto is_wanted = [](base::PageNumber page, ParkedNumber, const ContentHash&) {
        return page.value % 3 == 0;
      };
      store_->forget_parked(change.run, is_wanted);
      for (const auto& [page, parked] : parked_) {
        if (!change.run.contains({page}) || page % 3 == 0) continue;
        const ContentHash hash = hash_page(frame_of(parked.stamp).data());
        Frame frame;
        EXPECT_EQ(store_->fetch_parked({page}, parked.number, hash, frame.data()),
                  FetchOutcome::kAbsent);
      }
      std::erase_if(parked_, [&](const auto& at) {
        return change.run.contains({at.first}) && at.first % 3 != 0;
      });
    }
    check_parked();
  }

  void check_parked() {
    Frame frame;
    for (const auto& [page, parked] : parked_) {
      const Frame wanted = frame_of(parked.stamp);
      ASSERT_EQ(store_->fetch_parked({page}, parked.number, hash_page(wanted.data()), frame.data()),
                FetchOutcome::kImage);
      EXPECT_EQ(frame, wanted);
    }
  }

  void abort() {
    EpochWriter& writer = store_->begin_epoch();
    for (const Change& change : random_changes(random_, 40)) {
      ASSERT_TRUE(apply(change, writer).ok());
      if (random_() % 4 != 0) continue;
      ASSERT_TRUE(writer.flush().ok());
    }
    writer.abort();
  }

  void tag() {
    if (revisions_.empty()) return;
    const std::string name = "tag" + std::to_string(tags_.size());
    const base::Epoch revision = store_->head()->revision;
    ASSERT_TRUE(store_->tag(name, revision).ok());
    EXPECT_TRUE(store_->tag(name, revision).ok()) << "the same call, made again";
    const base::Epoch another{revision.value - 1};
    EXPECT_EQ(store_->tag(name, another).error().code, base::ErrorCode::kNameTaken);
    tags_[name] = revision;
  }

  void reclaim() {
    const Policy policy{.last = 6, .least = 2, .history_bytes = 400'000, .batch = 3};
    auto report = store_->reclaim_some(policy, 1 + random_() % 600);
    ASSERT_TRUE(report.ok()) << report.error().message;
  }

  // The head through the fault handler's door.
  void check_fetch() {
    Frame frame;
    for (const auto& [page, stamp] : pages_) {
      ASSERT_EQ(store_->fetch({page}, base::kNoEpoch, frame.data()), FetchOutcome::kImage);
      EXPECT_EQ(frame, frame_of(stamp));
      EXPECT_EQ(store_->fetch({page}, store_->open_epoch(), frame.data()), FetchOutcome::kAbsent);
      EXPECT_EQ(store_->find_reference({page})->value().hash, hash_page(frame.data()));
    }
  }

  const std::filesystem::path path_;
  std::mt19937_64 random_{testing::seed()};
  std::unique_ptr<Store> store_;
  std::uint64_t generation_ = 0;
  struct Parked {
    std::uint64_t stamp = 0;
    ParkedNumber number = 0;
  };

  Pages pages_;
  std::map<std::uint64_t, Parked> parked_;  // pages whose images wait for a snapshot
  std::map<base::Epoch, Pages> revisions_;
  std::map<std::string, base::Epoch> tags_;
};

TEST(StoreOracle, EveryRetainedRevisionIsWhatWasCommitted) {
  const testing::TemporaryDirectory directory;
  OracleRun run(directory / "store");
  for (int round = 0; round < 12; ++round) {
    for (int step = 0; step < 20 && !::testing::Test::HasFailure(); ++step) run.step();
    run.check_all();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace revenant::store
