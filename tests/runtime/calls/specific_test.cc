// Thread-specific data: pthread's keys and C11's, used by green threads.
#include <gtest/gtest.h>
#include <limits.h>
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <memory>
#include <set>
#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Specific : public ProgramTest {};

// Each of four threads finds what it has set itself, with others' turns between.
bool is_kept_apart(pthread_key_t& key) {
  if (::pthread_key_create(&key, nullptr) != 0) return false;
  int own[4];
  int right = 0;
  std::vector<thread> threads;
  for (int& mine : own) {
    threads.emplace_back([&] {
      if (::pthread_getspecific(key) != nullptr) return;
      ::pthread_setspecific(key, &mine);
      this_thread::sleep_for(1ms);
      right += ::pthread_getspecific(key) == &mine ? 1 : 0;
    });
  }
  threads.clear();
  return right == 4 && ::pthread_getspecific(key) == nullptr && ::pthread_key_delete(key) == 0;
}

TEST_F(Specific, EachGreenThreadHasItsOwnWhereverTheKeyLies) {
  expect_well(run_to_end(store(), [] {
    static pthread_key_t in_static_storage;
    pthread_key_t on_the_stack = 0;
    EXPECT_IN_CHILD(is_kept_apart(in_static_storage));
    EXPECT_IN_CHILD(is_kept_apart(on_the_stack));
    return 0;
  }));
}

TEST_F(Specific, ANumberThatIsUsedAgainShowsNoOldValue) {
  static pthread_key_t volatile_key;
  expect_well(run_to_end(store(), [] {
    pthread_key_t persistent_key = 0;
    for (pthread_key_t* const key : {&volatile_key, &persistent_key}) {
      int value = 0;
      EXPECT_IN_CHILD(::pthread_key_create(key, nullptr) == 0);
      EXPECT_IN_CHILD(::pthread_setspecific(*key, &value) == 0);
      const pthread_key_t first = *key;
      EXPECT_IN_CHILD(::pthread_key_delete(*key) == 0);
      EXPECT_IN_CHILD(::pthread_key_delete(first) == EINVAL);
      EXPECT_IN_CHILD(::pthread_setspecific(first, &value) == EINVAL);
      EXPECT_IN_CHILD(::pthread_getspecific(first) == nullptr);
      EXPECT_IN_CHILD(::pthread_key_create(key, nullptr) == 0 && *key == first);
      EXPECT_IN_CHILD(::pthread_getspecific(*key) == nullptr);
    }
    return 0;
  }));
}

TEST_F(Specific, ThereAreAsManyKeysAsLibcHas) {
  expect_well(run_to_end(store(), [] {
    const auto keys = std::make_unique<pthread_key_t[]>(PTHREAD_KEYS_MAX + 1);
    for (int i = 0; i < PTHREAD_KEYS_MAX; ++i) {
      EXPECT_IN_CHILD(::pthread_key_create(&keys[i], nullptr) == 0);
      EXPECT_IN_CHILD(::pthread_setspecific(keys[i], &keys[i]) == 0);
    }
    EXPECT_IN_CHILD(::pthread_key_create(&keys[PTHREAD_KEYS_MAX], nullptr) == EAGAIN);
    for (int i = 0; i < PTHREAD_KEYS_MAX; ++i) {
      EXPECT_IN_CHILD(::pthread_getspecific(keys[i]) == &keys[i]);
    }
    EXPECT_IN_CHILD(std::set(keys.get(), keys.get() + PTHREAD_KEYS_MAX).size() == PTHREAD_KEYS_MAX);
    return 0;
  }));
}

struct Counted {
  pthread_key_t key;
  int destroyed = 0;
  bool again = false;
};

void count_destruction(void* value) {
  auto& counted = *static_cast<Counted*>(value);
  this_thread::sleep_for(1ms);
  ++counted.destroyed;
  if (counted.again) ::pthread_setspecific(counted.key, value);
}

TEST_F(Specific, DestructorsRunWhenTheThreadEnds) {
  expect_well(run_to_end(store(), [] {
    Counted once;
    Counted for_ever{.again = true};
    Counted taken_back;
    for (Counted* const each : {&once, &for_ever, &taken_back}) {
      EXPECT_IN_CHILD(::pthread_key_create(&each->key, count_destruction) == 0);
    }
    thread([&] {
      for (Counted* const each : {&once, &for_ever, &taken_back}) {
        ::pthread_setspecific(each->key, each);
      }
      ::pthread_setspecific(taken_back.key, nullptr);
    }).join();
    EXPECT_IN_CHILD(once.destroyed == 1 && taken_back.destroyed == 0);
    EXPECT_IN_CHILD(for_ever.destroyed == PTHREAD_DESTRUCTOR_ITERATIONS);
    return 0;
  }));
}

TEST_F(Specific, C11sAreTheSame) {
  expect_well(run_to_end(store(), [] {
    Counted counted;
    EXPECT_IN_CHILD(::tss_create(&counted.key, count_destruction) == thrd_success);
    thread([&] {
      if (::tss_set(counted.key, &counted) != thrd_success) return;
      counted.destroyed = ::tss_get(counted.key) == &counted ? 0 : 100;
    }).join();
    EXPECT_IN_CHILD(counted.destroyed == 1 && ::tss_get(counted.key) == nullptr);
    ::tss_delete(counted.key);
    EXPECT_IN_CHILD(::tss_set(counted.key, &counted) == thrd_error);
    return 0;
  }));
}

// A key in persistent memory goes on, with values and destructors half-way; one elsewhere is new.
TEST_F(Specific, ValuesSurviveARestartWithTheirKeys) {
  static pthread_key_t volatile_key;
  const auto main = [] {
    Counted counted;
    ::pthread_key_create(&volatile_key, nullptr);
    ::pthread_key_create(&counted.key, [](void* value) {
      sync();
      print("ready\n");
      while (generation() == 1) this_thread::sleep_for(1ms);
      ++static_cast<Counted*>(value)->destroyed;
    });
    ::pthread_setspecific(volatile_key, &counted);
    ::pthread_setspecific(counted.key, &counted);
    thread([&] { ::pthread_setspecific(counted.key, &counted); }).join();
    EXPECT_IN_CHILD(generation() == 2 && counted.destroyed == 1);
    EXPECT_IN_CHILD(::pthread_getspecific(counted.key) == &counted);
    EXPECT_IN_CHILD(::pthread_key_create(&volatile_key, nullptr) == 0);
    EXPECT_IN_CHILD(::pthread_getspecific(volatile_key) == nullptr);
    return 0;
  };
  expect_well(second_life(main));
}

}  // namespace
}  // namespace revenant::testing
