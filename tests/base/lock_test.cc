#include "base/lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/lock_waits.h"

namespace revenant::base {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 4;

// Out of the analysis's sight, for the tests that do what it forbids.
bool try_to_take(Lock& lock) REVENANT_NO_THREAD_SAFETY_ANALYSIS;
bool try_to_take(Lock& lock) { return lock.try_lock(); }
void release(Lock& lock) REVENANT_NO_THREAD_SAFETY_ANALYSIS;
void release(Lock& lock) { lock.unlock(); }

template <class F>
void run_on_threads(F body) {
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

bool is_asleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  return stat.find(") S ") != std::string::npos;
}

TEST(Lock, ExcludesUnderContention) {
  constexpr std::uint64_t kRounds = 50'000;
  Lock lock(LockRank::kLog);
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  run_on_threads([&](int) {
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      const LockGuard guard(lock);
      EXPECT_EQ(left, right);
      ++left;
      ++right;
    }
  });
  EXPECT_EQ(left, kThreads * kRounds);
}

// A holder that stays longer than any spin lasts sends the others to sleep; each must be woken.
TEST(Lock, WakesEverySleeper) {
  Lock lock(LockRank::kLog);
  std::atomic<int> entered{0};
  std::atomic<int> about_to_lock{0};
  lock.lock();
  std::thread holder_of_many([&] {
    run_on_threads([&](int) {
      ++about_to_lock;
      const LockGuard guard(lock);
      std::this_thread::yield();
      ++entered;
    });
  });
  while (about_to_lock != kThreads) std::this_thread::yield();
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_EQ(entered, 0);
  lock.unlock();
  holder_of_many.join();
  EXPECT_EQ(entered, kThreads);
}

TEST(Lock, CountsWhoWaitedByRankAndNobodyElse) {
  const auto waits = [] { return lock_counters().read(LockRank::kSegments); };
  Lock lock(LockRank::kSegments);
  const LockWaits before = waits();
  for (int i = 0; i < 1000; ++i) const LockGuard guard(lock);
  ASSERT_TRUE(try_to_take(lock));
  std::thread([&] { EXPECT_FALSE(try_to_take(lock)); }).join();
  EXPECT_EQ(waits().contended, before.contended);

  const auto start = std::chrono::steady_clock::now();
  // Held until the waiter sleeps: as long as it takes.
  std::atomic<pid_t> id{0};
  std::thread waiting([&] {
    id = ::gettid();
    const LockGuard guard(lock);
  });
  while (waits().contended == before.contended) std::this_thread::yield();
  while (!is_asleep(id)) std::this_thread::yield();
  release(lock);
  waiting.join();
  EXPECT_EQ(waits().contended, before.contended + 1);
  EXPECT_EQ(waits().slept, before.slept + 1);
  const std::chrono::nanoseconds slept(waits().slept_ns - before.slept_ns);
  EXPECT_GT(slept, 0ns);
  EXPECT_LE(slept, std::chrono::steady_clock::now() - start);
}

TEST(Lock, EveryRankHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t rank = 0; rank < kLockRanks; ++rank) {
    names.insert(to_string(static_cast<LockRank>(rank)));
  }
  EXPECT_EQ(names.size(), kLockRanks);
  EXPECT_FALSE(names.contains(""));
}

TEST(Lock, TryLockTakesOnlyAFreeLock) {
  Lock lock(LockRank::kLog);
  ASSERT_TRUE(try_to_take(lock));
  std::thread([&] { EXPECT_FALSE(try_to_take(lock)); }).join();
  release(lock);
  std::thread([&] {
    ASSERT_TRUE(try_to_take(lock));
    release(lock);
  }).join();
}

TEST(Lock, KeepsErrno) {
  Lock lock(LockRank::kLog);
  Condition condition;
  const LockGuard guard(lock);
  errno = EDOM;
  EXPECT_FALSE(condition.wait_for(lock, 1ns));
  EXPECT_EQ(errno, EDOM);
}

TEST(Lock, AscendingRanksMayBeHeldTogether) {
  Lock outer(LockRank::kMachine), middle(LockRank::kScheduler), inner(LockRank::kLog);
  for (int round = 0; round < 2; ++round) {
    const LockGuard first(outer);
    const LockGuard second(middle);
    const LockGuard third(inner);
    outer.assert_held();
    inner.assert_held();
  }
}

// Ranks are noted by thread: what one holds does not forbid another anything.
TEST(Lock, RanksAreEachThreadsOwn) {
  Lock inner(LockRank::kLog), outer(LockRank::kMachine);
  const LockGuard guard(inner);
  std::thread([&] { const LockGuard other(outer); }).join();
}

#ifndef NDEBUG
void take(Lock& lock) REVENANT_NO_THREAD_SAFETY_ANALYSIS;
void take(Lock& lock) { lock.lock(); }

TEST(LockDeathTest, TakingAnOuterLockLastAborts) {
  Lock outer(LockRank::kRoots), inner(LockRank::kStore);
  const LockGuard guard(inner);
  EXPECT_DEATH(take(outer), "lock of rank [0-9]+ taken while ranks 0x[0-9a-f]+ are held");
  EXPECT_DEATH((void)try_to_take(outer),
               "lock of rank [0-9]+ taken while ranks 0x[0-9a-f]+ are held");
}

TEST(LockDeathTest, TwoLocksOfOneRankAbort) {
  Lock one(LockRank::kVmMap), two(LockRank::kVmMap);
  const LockGuard guard(one);
  EXPECT_DEATH(take(two), "lock of rank [0-9]+ taken while");
}

TEST(LockDeathTest, TakingALockTwiceAbortsInsteadOfHanging) {
  Lock lock(LockRank::kVmMap);
  const LockGuard guard(lock);
  EXPECT_DEATH(take(lock), "lock of rank [0-9]+ taken while");
}

TEST(LockDeathTest, ALockThatIsNotHeldIsNeitherAssertedNorReleased) {
  Lock lock(LockRank::kVmMap);
  EXPECT_DEATH(lock.assert_held(), "no lock of rank [0-9]+ is held");
  EXPECT_DEATH(release(lock), "no lock of rank [0-9]+ is held");
}
#endif

// A bounded queue of one: every hand-over needs a wake-up in each direction.
TEST(Condition, HandsOverEachValueOnce) {
  constexpr int kValues = 5'000;
  Lock lock(LockRank::kLog);
  Condition changed;
  int slot = 0;
  std::int64_t sum = 0;
  std::thread consumer([&] {
    for (int i = 0; i < kValues; ++i) {
      const LockGuard guard(lock);
      while (slot == 0) changed.wait(lock);
      sum += slot;
      slot = 0;
      changed.notify_one();
    }
  });
  for (int value = 1; value <= kValues; ++value) {
    const LockGuard guard(lock);
    while (slot != 0) changed.wait(lock);
    slot = value;
    changed.notify_one();
  }
  consumer.join();
  EXPECT_EQ(sum, std::int64_t{kValues} * (kValues + 1) / 2);
}

TEST(Condition, NotifyAllWakesEveryWaiter) {
  Lock lock(LockRank::kLog);
  Condition changed;
  int waiting = 0;
  bool open = false;
  std::thread opener([&] {
    for (bool all = false; !all; std::this_thread::yield()) {
      const LockGuard guard(lock);
      all = waiting == kThreads;
      open = all;
    }
    changed.notify_all();
  });
  run_on_threads([&](int) {
    const LockGuard guard(lock);
    ++waiting;
    while (!open) changed.wait(lock);
    --waiting;
  });
  opener.join();
  EXPECT_EQ(waiting, 0);
}

TEST(Condition, WaitForEndsByItself) {
  Lock lock(LockRank::kLog);
  Condition never;
  const LockGuard guard(lock);
  EXPECT_FALSE(never.wait_for(lock, 0ns));
  EXPECT_FALSE(never.wait_for(lock, -5s));
  const auto start = std::chrono::steady_clock::now();
  // A wake-up may be spurious: what counts is that the time does pass.
  while (never.wait_for(lock, 5ms)) {
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, 5ms);
}

TEST(Condition, WaitForHearsANotification) {
  Lock lock(LockRank::kLog);
  Condition changed;
  bool done = false;
  std::thread notifier([&] {
    const LockGuard guard(lock);
    done = true;
    changed.notify_one();
  });
  {
    const LockGuard guard(lock);
    while (!done) ASSERT_TRUE(changed.wait_for(lock, 1h));
  }
  notifier.join();
}

}  // namespace
}  // namespace revenant::base
