// Owners killed at random instants: creation, epochs, flushes, commits, reclaiming.
#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

constexpr Policy kPolicy{.last = 8, .least = 2, .history_bytes = 1 << 30, .batch = 4};
constexpr int kLives = 40;
constexpr std::uint64_t kLongestLifeUs = 30'000;

// When a life ends: some time after it began, or after one of its epochs did.
struct Death {
  std::uint64_t after_epochs = 0;  // 0: the time counts from the start
  std::uint64_t delay_us = 1;
};

// What revision `epoch` changes follows from its number: any life can replay any other's.
std::vector<Change> changes_of(base::Epoch epoch) {
  std::mt19937_64 random(testing::seed() ^ (epoch.value * 0x9E3779B97F4A7C15ull));
  return random_changes(random, 60);
}

void run_epoch(Store& store, int acknowledged) {
  const base::Epoch epoch = store.open_epoch();
  if (epoch.value % 5 == 0) {
    EpochWriter& doomed = store.begin_epoch();
    for (const Change& change : changes_of({~epoch.value})) (void)apply(change, doomed);
    (void)doomed.flush();
    doomed.abort();
  }
  EpochWriter& writer = store.begin_epoch();
  std::size_t done = 0;
  for (const Change& change : changes_of(epoch)) {
    if (!apply(change, writer).ok()) ::_exit(3);
    if (++done % 20 == 0 && !writer.flush().ok()) ::_exit(4);
  }
  const auto revision = writer.commit({});
  if (!revision.ok()) ::_exit(5);
  if (::write(acknowledged, &*revision, sizeof *revision) != sizeof *revision) ::_exit(6);
  if (!store.reclaim_some(kPolicy, 500).ok()) ::_exit(7);
}

// The timer's signal is not handled: it ends the process wherever it is.
void end_after(std::uint64_t delay_us) {
  itimerval timer{};
  timer.it_value.tv_usec = static_cast<suseconds_t>(delay_us);
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

[[noreturn]] void live(const std::filesystem::path& path, int acknowledged, const Death& death) {
  if (death.after_epochs == 0) end_after(death.delay_us);
  auto store = Store::open(small_options(path));
  if (!store.ok()) ::_exit(2);
  for (std::uint64_t epochs = 1;; ++epochs) {
    if (epochs == death.after_epochs) end_after(death.delay_us);
    run_epoch(**store, acknowledged);
  }
}

class KillTest : public ::testing::Test {
 protected:
  // Runs one life; notes the last revision it acknowledged.
  void run_life(const Death& death) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) live(path_, ends[1], death);
    ::close(ends[1]);
    base::Epoch revision;
    while (::read(ends[0], &revision, sizeof revision) == sizeof revision) acknowledged_ = revision;
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
    ASSERT_EQ(WTERMSIG(status), SIGALRM);
  }

  void check() {
    auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok()) << store.error().message;
    const base::Epoch newest = (*store)->head() ? (*store)->head()->revision : base::kNoEpoch;
    ASSERT_GE(newest, acknowledged_);
    while (replayed_ < newest) {
      replayed_ = replayed_.next();
      for (const Change& change : changes_of(replayed_)) apply(change, pages_);
      revisions_[replayed_] = pages_;
    }
    auto snapshots = (*store)->history().snapshots();
    ASSERT_TRUE(snapshots.ok());
    for (const SnapshotRecord& record : *snapshots) {
      auto view = (*store)->history().view(record.revision);
      ASSERT_TRUE(view.ok());
      EXPECT_EQ(difference(*view, revisions_.at(record.revision)), "") << record.revision.value;
    }
    EXPECT_EQ(findings((*store)->history()), "");
  }

  testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "store";
  base::Epoch acknowledged_;
  base::Epoch replayed_;
  Pages pages_;
  std::map<base::Epoch, Pages> revisions_;
};

TEST_F(KillTest, NothingAcknowledgedIsLostAndNothingIsHalfThere) {
  std::mt19937_64 random(testing::seed());
  for (int life = 0; life < kLives && !HasFailure(); ++life) {
    run_life({random() % 8, 1 + random() % kLongestLifeUs});
    check();
  }
  EXPECT_GT(acknowledged_.value, static_cast<std::uint64_t>(kLives));
}

TEST_F(KillTest, CreatorsKilledOnTheWayLeaveNothing) {
  std::mt19937_64 random(testing::seed());
  for (int life = 0; life < kLives && !HasFailure(); ++life) {
    std::filesystem::remove_all(path_);
    acknowledged_ = base::kNoEpoch;
    // Creation takes from 1 ms to 100, by the disk: all orders of magnitude are tried.
    run_life({0, 1 + random() % (1ull << random() % 17)});
    check();
    const auto left = std::distance(std::filesystem::directory_iterator(directory_.path()), {});
    EXPECT_EQ(left, 1);  // the store itself
  }
}

}  // namespace
}  // namespace revenant::store
