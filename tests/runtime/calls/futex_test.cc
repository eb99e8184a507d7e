// What C++ builds on futexes, used by green threads: atomics, semaphores, latches, barriers,
// futures, and static locals.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <future>
#include <latch>
#include <memory>
#include <semaphore>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Futex : public ProgramTest {};

// Two threads count to 20 in turns, each for longer than the other spins.
template <class Value>
bool takes_turns(std::atomic<Value>& turn) {
  turn = 0;
  int counted = 0;
  const auto play_against = [&](Value other) {
    for (int n = 0; n < 10; ++n) {
      turn.wait(other);
      ++counted;
      this_thread::sleep_for(200us);
      turn = other;
      turn.notify_all();
    }
  };
  {
    thread first([&] { play_against(1); });
    thread second([&] { play_against(0); });
  }
  return counted == 20;
}

TEST_F(Futex, AtomicsOfAllSizesWaitWhereverTheyLie) {
  expect_well(run_to_end(store(), [] {
    static std::atomic<int> word_in_static_storage;
    static std::atomic<long> long_in_static_storage;
    static std::atomic<char> byte_in_static_storage;
    const auto word = std::make_unique<std::atomic<int>>();
    std::atomic<long> on_the_stack;
    EXPECT_IN_CHILD(takes_turns(word_in_static_storage));
    EXPECT_IN_CHILD(takes_turns(long_in_static_storage));
    EXPECT_IN_CHILD(takes_turns(byte_in_static_storage));
    EXPECT_IN_CHILD(takes_turns(*word));
    EXPECT_IN_CHILD(takes_turns(on_the_stack));
    return 0;
  }));
}

TEST_F(Futex, SemaphoresLatchesAndBarriersBlockTheGreenThreadOnly) {
  expect_well(run_to_end(store(), [] {
    static std::counting_semaphore<4> tokens(0);
    static std::binary_semaphore done(0);
    static std::latch started(4);
    static std::barrier meeting(3);
    int met = 0;
    std::vector<thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        started.arrive_and_wait();
        tokens.acquire();
        for (int n = 0; n < 3; ++n) {
          ++met;
          meeting.arrive_and_wait();
          if (met < 3 * (n + 1)) std::abort();
        }
        if (met == 9) done.release();
      });
    }
    started.arrive_and_wait();
    EXPECT_IN_CHILD(met == 0);
    EXPECT_IN_CHILD(!done.try_acquire_for(2ms));
    tokens.release(3);
    done.acquire();
    threads.clear();
    EXPECT_IN_CHILD(met == 9);
    return 0;
  }));
}

TEST_F(Futex, AFutureThatIsNotReadyTimesOut) {
  expect_well(run_to_end(store(), [] {
    std::promise<int> promise;
    const std::future<int> future = promise.get_future();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_IN_CHILD(future.wait_for(50ms) == std::future_status::timeout);
    EXPECT_IN_CHILD(std::chrono::steady_clock::now() - start >= 50ms);
    EXPECT_IN_CHILD(future.wait_until(std::chrono::system_clock::now() + 2ms) ==
                    std::future_status::timeout);
    promise.set_value(1);
    EXPECT_IN_CHILD(future.wait_for(0s) == std::future_status::ready);
    return 0;
  }));
}

// ThreadSanitizer's runtime takes the guards of static locals into its own hands.
#ifndef __SANITIZE_THREAD__
int slow_number() {
  static const int number = [] {
    this_thread::sleep_for(5ms);
    return 7;
  }();
  return number;
}

TEST_F(Futex, AStaticLocalIsWaitedForWhileItsInitialiserSleeps) {
  expect_well(run_to_end(store(), [] {
    std::vector<int> seen;
    {
      std::vector<thread> threads;
      for (int i = 0; i < 3; ++i) threads.emplace_back([&] { seen.push_back(slow_number()); });
    }
    EXPECT_IN_CHILD(std::ranges::count(seen, 7) == 3);
    return 0;
  }));
}
#endif  // __SANITIZE_THREAD__

// libstdc++ has counted the waiters in the first process, and counts none in the second.
TEST_F(Futex, WaitersFromBeforeARestartAreWoken) {
  const auto main = [] {
    struct Shared {
      std::atomic<int> word{0};
      std::atomic<long> wide{0};
      std::latch latch{1};
    };
    const auto shared = std::make_unique<Shared>();
    thread on_word([&] { shared->word.wait(0); });
    thread on_wide([&] { shared->wide.wait(0); });
    thread on_latch([&] { shared->latch.wait(); });
    this_thread::sleep_for(5ms);
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    shared->word = 1;
    shared->word.notify_all();
    shared->wide = 1;
    shared->wide.notify_all();
    shared->latch.count_down();
    on_word.join();
    on_wide.join();
    on_latch.join();
    return 0;
  };
  expect_well(second_life(main));
}

}  // namespace
}  // namespace revenant::testing
