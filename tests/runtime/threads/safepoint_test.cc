// Stops: no worker runs green code during a step, whoever is in a call or asleep.
#include "runtime/threads/safepoint.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"

namespace revenant::runtime {
namespace {

// Workers that count how many of them run green code at each instant.
class Workers {
 public:
  Workers(Safepoint& safepoint, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, &safepoint, i] { live(safepoint, testing::seed() + i); });
    }
  }
  void stop_and_join() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  int running() const { return running_; }

 private:
  void live(Safepoint& safepoint, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    safepoint.enter();
    ++running_;
    while (!done_) {
      const bool call = random() % 4 == 0;
      if (!call && !safepoint.requested()) continue;
      --running_;
      if (call) {
        safepoint.leave();
        std::this_thread::yield();
        safepoint.enter();
      } else {
        safepoint.park();
      }
      ++running_;
    }
    --running_;
    safepoint.leave();
  }

  std::atomic<int> running_{0};
  std::atomic<bool> done_{false};
  std::vector<std::thread> threads_;
};

TEST(SafepointTest, AStepRunsOnceAndAlone) {
  std::atomic<bool> requested{false};
  Safepoint safepoint(requested);
  Workers workers(safepoint, 4);
  const auto self = std::this_thread::get_id();
  int steps = 0;
  int own_steps = 0;
  int assists = 0;
  for (int stop = 0; stop < 2000; ++stop) {
    const std::int64_t pause_ns = safepoint.stop_and(
        [&] {
          ++steps;
          if (std::this_thread::get_id() == self) ++own_steps;
          EXPECT_EQ(workers.running(), 0);
          EXPECT_TRUE(requested);
        },
        [&] {
          ++assists;
          return false;
        });
    EXPECT_GE(pause_ns, 0);
  }
  workers.stop_and_join();
  EXPECT_EQ(steps, 2000);
  EXPECT_EQ(assists, steps - own_steps);
  EXPECT_FALSE(requested);
}

TEST(SafepointTest, WithNobodyRunningTheRequesterDoesTheStep) {
  std::atomic<bool> requested{false};
  Safepoint safepoint(requested);
  const auto self = std::this_thread::get_id();
  safepoint.stop_and([&] { EXPECT_EQ(std::this_thread::get_id(), self); },
                     [] {
                       ADD_FAILURE() << "there was nothing to wait for";
                       return false;
                     });
  EXPECT_FALSE(requested);
}

TEST(SafepointTest, AParkOutsideAStopReturnsAtOnce) {
  std::atomic<bool> requested{false};
  Safepoint safepoint(requested);
  safepoint.enter();
  safepoint.park();
  safepoint.leave();
  EXPECT_FALSE(requested);
}

}  // namespace
}  // namespace revenant::runtime
