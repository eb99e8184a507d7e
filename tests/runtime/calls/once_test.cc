// Functions that run once, and block while they do.
#include <gtest/gtest.h>
#include <pthread.h>
#include <threads.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Once : public ProgramTest {};

TEST_F(Once, OthersWaitAsGreenThreadsDo) {
  expect_well(run_to_end(store(), [] {
    static std::once_flag in_static_storage;
    std::once_flag on_the_stack;
    for (std::once_flag* flag : {&in_static_storage, &on_the_stack}) {
      int calls = 0;
      std::vector<thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&calls, flag] {
          std::call_once(*flag, [&calls] {
            this_thread::sleep_for(5ms);
            ++calls;
          });
          if (calls != 1) std::abort();
        });
      }
      threads.clear();
      EXPECT_IN_CHILD(calls == 1);
    }
    return 0;
  }));
}

int c_calls = 0;

void slow_c_function() {
  this_thread::sleep_for(5ms);
  ++c_calls;
}

TEST_F(Once, SoDoThoseOfC) {
  expect_well(run_to_end(store(), [] {
    static pthread_once_t pthreads = PTHREAD_ONCE_INIT;
    static once_flag c11s = ONCE_FLAG_INIT;
    std::vector<thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([] { ::call_once(&c11s, slow_c_function); });
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([] { ::pthread_once(&pthreads, slow_c_function); });
    }
    threads.clear();
    EXPECT_IN_CHILD(c_calls == 2);
    return 0;
  }));
}

// Each with the function that it came with, whoever used the worker meanwhile.
TEST_F(Once, TheNextTakesOverFromOneThatThrew) {
  expect_well(run_to_end(store(), [] {
    std::once_flag flag;
    std::string order;
    std::vector<thread> threads;
    for (const char name : {'a', 'b', 'c'}) {
      threads.emplace_back([&flag, &order, name] {
        try {
          std::call_once(flag, [&order, name] {
            this_thread::sleep_for(2ms);
            order += name;
            if (name != 'c') throw std::runtime_error("not yet");
          });
        } catch (const std::runtime_error&) {
          order += '!';
        }
      });
    }
    threads.clear();
    EXPECT_IN_CHILD(order == "a!b!c");
    return 0;
  }));
}

TEST_F(Once, WhoRunsItAndWhoWaitsSurviveARestart) {
  const auto main = [] {
    const auto flag = std::make_unique<std::once_flag>();
    int calls = 0;
    std::vector<thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        std::call_once(*flag, [&calls] {
          while (generation() == 1) this_thread::sleep_for(1ms);
          ++calls;
        });
      });
    }
    this_thread::sleep_for(5ms);
    sync();
    print("ready\n");
    threads.clear();
    EXPECT_IN_CHILD(calls == 1);
    return 0;
  };
  expect_well(second_life(main));
}

}  // namespace
}  // namespace revenant::testing
