// POSIX semaphores, used by green threads.
#include <gtest/gtest.h>
#include <semaphore.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Semaphores : public ProgramTest {};

// Four threads take turns: each waits until the one before it has posted.
bool passes_a_turn_around(sem_t (&turns)[4]) {
  std::vector<int> order;
  for (int i = 0; i < 4; ++i) ::sem_init(&turns[i], 0, i == 0 ? 1 : 0);
  {
    std::vector<thread> threads;
    for (int i = 3; i >= 0; --i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < 5; ++n) {
          ::sem_wait(&turns[i]);
          order.push_back(i);
          ::sem_post(&turns[(i + 1) % 4]);
        }
      });
    }
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<int>(i % 4)) return false;
  }
  return order.size() == 20;
}

TEST_F(Semaphores, BlockTheGreenThreadOnlyWhereverTheyLie) {
  expect_well(run_to_end(store(), [] {
    static sem_t in_static_storage[4];
    sem_t on_the_stack[4];
    std::memset(on_the_stack, 0x5a, sizeof on_the_stack);
    EXPECT_IN_CHILD(passes_a_turn_around(in_static_storage));
    EXPECT_IN_CHILD(passes_a_turn_around(on_the_stack));
    return 0;
  }));
}

TEST_F(Semaphores, TriesAndTimeoutsAreAsDocumented) {
  expect_well(run_to_end(store(), [] {
    const auto semaphore = std::make_unique<sem_t>();
    EXPECT_IN_CHILD(::sem_init(semaphore.get(), 0, 1) == 0);
    int value = -1;
    EXPECT_IN_CHILD(::sem_getvalue(semaphore.get(), &value) == 0 && value == 1);
    EXPECT_IN_CHILD(::sem_trywait(semaphore.get()) == 0);
    EXPECT_IN_CHILD(::sem_trywait(semaphore.get()) == -1 && errno == EAGAIN);
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    EXPECT_IN_CHILD(::sem_timedwait(semaphore.get(), &until) == -1 && errno == ETIMEDOUT);
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 3600;
    thread poster([&] {
      this_thread::sleep_for(2ms);
      ::sem_post(semaphore.get());
    });
    EXPECT_IN_CHILD(::sem_clockwait(semaphore.get(), CLOCK_MONOTONIC, &until) == 0);
    EXPECT_IN_CHILD(::sem_destroy(semaphore.get()) == 0);
    return 0;
  }));
}

TEST_F(Semaphores, ValuesAndWaitersSurviveARestart) {
  const auto main = [] {
    const auto pair = std::make_unique<sem_t[]>(2);
    ::sem_init(&pair[0], 0, 0);
    ::sem_init(&pair[1], 0, 2);
    int woken = 0;
    thread waiting([&] {
      ::sem_wait(&pair[0]);
      ++woken;
    });
    this_thread::sleep_for(5ms);
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    EXPECT_IN_CHILD(woken == 0);
    EXPECT_IN_CHILD(::sem_post(&pair[0]) == 0);
    waiting.join();
    EXPECT_IN_CHILD(woken == 1);
    EXPECT_IN_CHILD(::sem_wait(&pair[1]) == 0 && ::sem_wait(&pair[1]) == 0);
    EXPECT_IN_CHILD(::sem_trywait(&pair[1]) == -1);
    return 0;
  };
  expect_well(second_life(main));
}

}  // namespace
}  // namespace revenant::testing
