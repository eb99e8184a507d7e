// std's and pthread's blocking objects, used by green threads.
#include <gtest/gtest.h>
#include <pthread.h>

#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Locks : public ProgramTest {};

// Counts how many are inside at once; each stays over a switch.
template <class Mutex>
int most_inside(Mutex& mutex) {
  int inside = 0;
  int most = 0;
  {
    std::vector<thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < 5; ++turn) {
          const std::lock_guard guard(mutex);
          most = std::max(most, ++inside);
          this_thread::sleep_for(100us);
          --inside;
        }
      });
    }
    for (thread& each : threads) each.join();
  }
  return most;
}

TEST_F(Locks, AMutexExcludesGreenThreadsWhereverItLies) {
  expect_well(run_to_end(store(), [] {
    static std::mutex in_static_storage;
    static std::recursive_mutex recursive_in_static_storage;
    std::mutex on_the_stack;
    const auto in_the_heap = std::make_unique<std::recursive_mutex>();
    EXPECT_IN_CHILD(most_inside(in_static_storage) == 1);
    EXPECT_IN_CHILD(most_inside(recursive_in_static_storage) == 1);
    EXPECT_IN_CHILD(most_inside(on_the_stack) == 1);
    EXPECT_IN_CHILD(most_inside(*in_the_heap) == 1);
    return 0;
  }));
}

TEST_F(Locks, KindsAndErrorsAreAsDocumented) {
  expect_well(run_to_end(store(), [] {
    std::recursive_mutex recursive;
    recursive.lock();
    EXPECT_IN_CHILD(recursive.try_lock());
    recursive.unlock();
    thread([&] {
      if (recursive.try_lock()) std::abort();
    }).join();
    recursive.unlock();
    pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    EXPECT_IN_CHILD(::pthread_mutex_unlock(&checked) == EPERM);
    EXPECT_IN_CHILD(::pthread_mutex_lock(&checked) == 0);
    EXPECT_IN_CHILD(::pthread_mutex_lock(&checked) == EDEADLK);
    EXPECT_IN_CHILD(::pthread_mutex_trylock(&checked) == EBUSY);
    EXPECT_IN_CHILD(::pthread_mutex_unlock(&checked) == 0);
    EXPECT_IN_CHILD(::pthread_mutex_destroy(&checked) == 0);
    std::timed_mutex timed;
    timed.lock();
    bool got = true;
    thread([&] { got = timed.try_lock_for(10ms); }).join();
    EXPECT_IN_CHILD(!got);
    return 0;
  }));
}

TEST_F(Locks, ConditionsWakeAndTimeOut) {
  expect_well(run_to_end(store(), [] {
    std::mutex mutex;
    std::condition_variable condition;
    int turn = 0;
    thread other([&] {
      std::unique_lock lock(mutex);
      while (turn < 20) {
        condition.wait(lock, [&] { return turn % 2 == 1; });
        ++turn;
        condition.notify_one();
      }
    });
    {
      std::unique_lock lock(mutex);
      while (turn < 20) {
        ++turn;
        condition.notify_one();
        condition.wait(lock, [&] { return turn % 2 == 0; });
      }
      EXPECT_IN_CHILD(condition.wait_for(lock, 10ms) == std::cv_status::timeout);
      EXPECT_IN_CHILD(condition.wait_until(lock, std::chrono::system_clock::now() + 10ms) ==
                      std::cv_status::timeout);
    }
    other.join();
    return 0;
  }));
}

TEST_F(Locks, SharedMutexesSemaphoresAndFuturesBlockTheGreenThreadOnly) {
  expect_well(run_to_end(store(), [] {
    std::shared_mutex shared;
    std::counting_semaphore<8> tokens(0);
    std::promise<int> promise;
    int read = 0;
    shared.lock();
    thread reader([&] {
      const std::shared_lock guard(shared);
      read = 1;
      tokens.release();
    });
    thread giver([&] {
      this_thread::sleep_for(5ms);
      promise.set_value(7);
      shared.unlock();
    });
    EXPECT_IN_CHILD(promise.get_future().get() == 7);
    tokens.acquire();
    EXPECT_IN_CHILD(read == 1);
    return 0;
  }));
}

TEST_F(Locks, OwnersAndWaitersSurviveARestart) {
  const auto main = [] {
    struct Shared {
      std::mutex mutex;
      std::condition_variable condition;
      bool woken = false;
      int entered = 0;
    };
    const auto shared = std::make_unique<Shared>();
    shared->mutex.lock();
    thread blocked([&] {
      const std::lock_guard guard(shared->mutex);
      ++shared->entered;
      shared->woken = true;
      shared->condition.notify_all();
    });
    this_thread::sleep_for(10ms);
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    EXPECT_IN_CHILD(shared->entered == 0);
    std::unique_lock lock(shared->mutex, std::adopt_lock);
    shared->condition.wait(lock, [&] { return shared->woken; });
    EXPECT_IN_CHILD(shared->entered == 1);
    return 0;
  };
  expect_well(second_life(main));
}

TEST_F(Locks, SteadyClockGoesOnOverARestart) {
  const auto main = [] {
    const auto before = std::chrono::steady_clock::now();
    sync();
    print("ready\n");
    const timespec moment{0, 1'000'000};
    int (*const sleep_as_c_does)(const timespec*, timespec*) = ::nanosleep;
    while (generation() == 1) sleep_as_c_does(&moment, nullptr);
    const auto passed = std::chrono::steady_clock::now() - before;
    EXPECT_IN_CHILD(passed > 0s && passed < 60s);
    return 0;
  };
  expect_well(second_life(main));
}

}  // namespace
}  // namespace revenant::testing
