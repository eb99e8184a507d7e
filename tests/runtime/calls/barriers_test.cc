// pthread's barriers and C11's threads, used by green threads.
#include <gtest/gtest.h>
#include <pthread.h>
#include <threads.h>

#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Barriers : public ProgramTest {};
class C11Threads : public ProgramTest {};

// Three threads meet five times; nobody is ahead, and one of them is told that it is the one.
bool meets(pthread_barrier_t& barrier) {
  constexpr int kRounds = 5;
  if (::pthread_barrier_init(&barrier, nullptr, 3) != 0) return false;
  int arrived = 0;
  int chosen = 0;
  bool ahead = false;
  {
    std::vector<thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int round = 1; round <= kRounds; ++round) {
          ++arrived;
          const int role = ::pthread_barrier_wait(&barrier);
          if (role == PTHREAD_BARRIER_SERIAL_THREAD) ++chosen;
          ahead |= arrived < 3 * round;
        }
      });
    }
  }
  return !ahead && chosen == kRounds && ::pthread_barrier_destroy(&barrier) == 0;
}

TEST_F(Barriers, BlockTheGreenThreadOnlyWhereverTheyLie) {
  expect_well(run_to_end(store(), [] {
    static pthread_barrier_t in_static_storage;
    pthread_barrier_t on_the_stack;
    std::memset(&on_the_stack, 0x5a, sizeof on_the_stack);
    EXPECT_IN_CHILD(meets(on_the_stack));
    EXPECT_IN_CHILD(meets(on_the_stack));
    EXPECT_IN_CHILD(meets(in_static_storage));
    return 0;
  }));
}

TEST_F(Barriers, WhoHasArrivedSurvivesARestart) {
  const auto main = [] {
    const auto barrier = std::make_unique<pthread_barrier_t>();
    EXPECT_IN_CHILD(::pthread_barrier_init(barrier.get(), nullptr, 2) == 0);
    bool met = false;
    thread early([&] {
      ::pthread_barrier_wait(barrier.get());
      met = true;
    });
    this_thread::sleep_for(5ms);
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    EXPECT_IN_CHILD(!met);
    ::pthread_barrier_wait(barrier.get());
    early.join();
    EXPECT_IN_CHILD(met);
    return 0;
  };
  expect_well(second_life(main));
}

struct Shared {
  mtx_t mutex;
  cnd_t condition;
  int turn = 0;

  Shared() {
    ::mtx_init(&mutex, mtx_timed);
    ::cnd_init(&condition);
  }
  ~Shared() {
    ::cnd_destroy(&condition);
    ::mtx_destroy(&mutex);
  }
};

TEST_F(C11Threads, MutexesAndConditionsBlockTheGreenThreadOnly) {
  expect_well(run_to_end(store(), [] {
    const auto shared = std::make_unique<Shared>();
    const auto play = [&](int own) {
      for (int round = 0; round < 10; ++round) {
        if (::mtx_lock(&shared->mutex) != thrd_success) return;
        while (shared->turn % 2 != own) ::cnd_wait(&shared->condition, &shared->mutex);
        const timespec moment{0, 100'000};
        ::thrd_sleep(&moment, nullptr);
        ++shared->turn;
        ::cnd_broadcast(&shared->condition);
        ::mtx_unlock(&shared->mutex);
        ::thrd_yield();
      }
    };
    thread first([&] { play(0); });
    thread second([&] { play(1); });
    first.join();
    second.join();
    EXPECT_IN_CHILD(shared->turn == 20);
    return 0;
  }));
}

TEST_F(C11Threads, OwnersAndWaitersSurviveARestart) {
  expect_well(second_life([] {
    Shared shared;
    ::mtx_lock(&shared.mutex);
    thread waiting([&] {
      ::mtx_lock(&shared.mutex);
      while (shared.turn == 1) ::cnd_wait(&shared.condition, &shared.mutex);
      shared.turn = 3;
      ::mtx_unlock(&shared.mutex);
    });
    this_thread::sleep_for(5ms);
    die_here();
    EXPECT_IN_CHILD(shared.turn == 0);
    shared.turn = 1;
    ::mtx_unlock(&shared.mutex);
    this_thread::sleep_for(1ms);
    ::mtx_lock(&shared.mutex);
    shared.turn = 2;
    ::mtx_unlock(&shared.mutex);
    ::cnd_broadcast(&shared.condition);
    waiting.join();
    EXPECT_IN_CHILD(shared.turn == 3);
    return 0;
  }));
}

TEST_F(C11Threads, TriesTimeoutsAndRefusalsAreAsDocumented) {
  const Ended ended = run_to_end(store(), [] {
    Shared shared;
    EXPECT_IN_CHILD(::mtx_trylock(&shared.mutex) == thrd_success);
    int tried = -1;
    int timed = -1;
    timespec until{};
    ::timespec_get(&until, TIME_UTC);
    thread([&] {
      tried = ::mtx_trylock(&shared.mutex);
      timed = ::mtx_timedlock(&shared.mutex, &until);
    }).join();
    EXPECT_IN_CHILD(tried == thrd_busy && timed == thrd_timedout);
    EXPECT_IN_CHILD(::cnd_timedwait(&shared.condition, &shared.mutex, &until) == thrd_timedout);
    EXPECT_IN_CHILD(::cnd_signal(&shared.condition) == thrd_success);
    EXPECT_IN_CHILD(::mtx_unlock(&shared.mutex) == thrd_success);
    thrd_t started;
    const thrd_start_t nothing = [](void*) { return 0; };
    EXPECT_IN_CHILD(::thrd_create(&started, nothing, nullptr) == thrd_error);
    return 0;
  });
  expect_well(ended);
  EXPECT_NE(ended.err.find("thrd_create"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace revenant::testing
