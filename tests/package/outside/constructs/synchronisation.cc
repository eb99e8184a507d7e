// std's own synchronisation between threads, with threads in it whenever the program dies.
#include <fmt/ranges.h>
#include <pthread.h>
#include <threads.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>

#include "constructs.h"

namespace constructs {
namespace {

// The same function for each of `count` threads.
void crowd(int count, const std::function<void(int)>& function) {
  std::vector<std::function<void()>> functions;
  for (int i = 0; i < count; ++i) functions.emplace_back([&function, i] { function(i); });
  at_once(functions);
}

std::string mutexes() {
  std::mutex lock;
  std::recursive_mutex recursive;
  std::shared_mutex shared;
  std::timed_mutex timed;
  int inside = 0;
  int sum = 0;
  crowd(5, [&](int i) {
    for (int n = 0; n < 2; ++n) {
      const std::scoped_lock both(lock, recursive);
      const std::lock_guard again(recursive);
      REQUIRE(++inside == 1);
      moment();
      sum += i;
      --inside;
    }
    const std::shared_lock reading(shared);
    moment();
    REQUIRE(timed.try_lock_for(std::chrono::seconds(10)));
    moment();
    timed.unlock();
  });
  REQUIRE(lock.try_lock() && shared.try_lock());
  lock.unlock();
  shared.unlock();
  return fmt::format("{}", sum);
}

std::string condition_variable() {
  std::mutex lock;
  std::condition_variable changed;
  std::queue<int> work;
  bool closed = false;
  std::atomic<int> sum = 0;
  const auto consume = [&] {
    std::unique_lock held(lock);
    for (;;) {
      changed.wait(held, [&] { return !work.empty() || closed; });
      if (work.empty()) return;
      const int item = work.front();
      work.pop();
      held.unlock();
      moment();
      sum += item;
      held.lock();
    }
  };
  const auto produce = [&] {
    for (int i = 1; i <= 10; ++i) {
      moment();
      const std::lock_guard held(lock);
      work.push(i);
      changed.notify_one();
    }
    const std::lock_guard held(lock);
    closed = true;
    changed.notify_all();
  };
  at_once({consume, consume, produce});
  return fmt::format("{}", sum.load());
}

std::string latches_and_barriers() {
  std::latch ready(4);
  std::latch go(1);
  std::vector<int> phases(3);
  int phase = 0;
  std::barrier line(3, [&phase]() noexcept { ++phase; });
  std::vector<std::function<void()>> functions;
  for (int i = 0; i < 3; ++i) {
    functions.emplace_back([&, i] {
      ready.count_down();
      go.wait();
      for (int n = 0; n < 3; ++n) {
        moment();
        REQUIRE(phase == n);
        phases[static_cast<std::size_t>(i)] += phase;
        line.arrive_and_wait();
      }
    });
  }
  functions.emplace_back([&] {
    ready.arrive_and_wait();
    moment();
    go.count_down();
  });
  at_once(functions);
  return fmt::format("{} {}", phases, phase);
}

std::string semaphores() {
  std::counting_semaphore<3> places(3);
  std::binary_semaphore turn(1);
  std::atomic<int> inside = 0;
  int done = 0;
  crowd(7, [&](int) {
    places.acquire();
    REQUIRE(++inside <= 3);
    moment();
    --inside;
    places.release();
    turn.acquire();
    ++done;
    moment();
    turn.release();
  });
  REQUIRE(places.try_acquire());
  return fmt::format("{}", done);
}

std::string stop_tokens() {
  std::stop_source source;
  std::atomic<int> told = 0;
  std::string order;
  {
    std::vector<std::function<void()>> functions;
    const std::stop_callback early(source.get_token(), [&] { order += "early "; });
    std::optional<std::stop_callback<std::function<void()>>> withdrawn;
    withdrawn.emplace(source.get_token(), [&] { order += "withdrawn "; });
    functions.emplace_back([&] {
      std::mutex lock;
      std::condition_variable_any changed;
      std::unique_lock held(lock);
      REQUIRE(!changed.wait(held, source.get_token(), [] { return false; }));
      ++told;
    });
    functions.emplace_back([&] {
      const std::stop_token token = source.get_token();
      while (!token.stop_requested()) moment();
      ++told;
    });
    functions.emplace_back([&] {
      moment();
      withdrawn.reset();
      moment();
      source.request_stop();
    });
    at_once(functions);
  }
  const std::stop_callback late(source.get_token(), [&] { order += "late"; });
  moment();
  return fmt::format("{} told, {}", told.load(), order);
}

std::string once() {
  std::once_flag flag;
  std::once_flag failing;
  int calls = 0;
  int attempts = 0;
  for (int i = 0; i < 3; ++i) {
    std::call_once(flag, [&calls] {
      moment();  // dies inside, and goes on inside
      ++calls;
    });
    try {
      std::call_once(failing, [&attempts] {
        moment();
        if (++attempts < 2) throw attempts;
      });
    } catch (int attempt) {
      REQUIRE(attempt == 1);
    }
    moment();
  }
  return fmt::format("{} call, {} attempts", calls, attempts);
}

std::string atomics() {
  std::atomic<int> counter = 0;
  std::atomic<bool> ready = false;
  std::atomic<std::shared_ptr<int>> shared = std::make_shared<int>(0);
  std::atomic_flag spin = ATOMIC_FLAG_INIT;
  std::atomic<double> real = 0;
  crowd(4, [&](int i) {
    if (i == 0) {
      moment();
      ready = true;
      ready.notify_all();
    }
    ready.wait(false);
    for (int n = 0; n < 3; ++n) {
      counter.fetch_add(n);
      real.fetch_add(0.5);
      moment();
      std::shared_ptr<int> seen = shared.load();
      while (!shared.compare_exchange_weak(seen, std::make_shared<int>(*seen + 1))) moment();
    }
    while (spin.test_and_set()) spin.wait(true);
    moment();
    spin.clear();
    spin.notify_one();
  });
  return fmt::format("{} {} {}", counter.load(), real.load(), *shared.load());
}

struct Tally {
  std::atomic<int> own{0};
  std::atomic<int> destroyed{0};
};

void count_destruction(void* value) {
  moment();
  ++static_cast<Tally*>(value)->destroyed;
}

// Values of pthread's keys and of C11's, which libraries keep for each thread.
std::string thread_specific() {
  pthread_key_t key = 0;
  tss_t other = 0;
  REQUIRE(::pthread_key_create(&key, count_destruction) == 0);
  REQUIRE(::tss_create(&other, nullptr) == thrd_success);
  Tally tallies[3];
  const auto use = [&](Tally& mine) {
    REQUIRE(::pthread_getspecific(key) == nullptr && ::tss_get(other) == nullptr);
    REQUIRE(::pthread_setspecific(key, &mine) == 0 && ::tss_set(other, &mine) == thrd_success);
    for (int i = 0; i < 3; ++i) {
      moment();
      ++static_cast<Tally*>(::pthread_getspecific(key))->own;
      REQUIRE(::tss_get(other) == &mine);
    }
  };
  at_once({[&] { use(tallies[0]); }, [&] { use(tallies[1]); }, [&] { use(tallies[2]); }});
  for (const Tally& each : tallies) REQUIRE(each.own == 3 && each.destroyed == 1);
  REQUIRE(::pthread_getspecific(key) == nullptr);
  REQUIRE(::pthread_key_delete(key) == 0);
  ::tss_delete(other);
  return "of each thread";
}

}  // namespace

std::vector<Case> synchronisation() {
  return {{"mutexes", mutexes},
          {"condition_variable", condition_variable},
          {"latches_and_barriers", latches_and_barriers},
          {"semaphores", semaphores},
          {"stop_tokens", stop_tokens},
          {"call_once", once},
          {"atomics", atomics},
          {"thread_specific", thread_specific}};
}

}  // namespace constructs
