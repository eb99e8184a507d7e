// The public surface in one life: `semantics CASE` exits 0 when the case behaves as documented.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "revenant/revenant.h"
#include "tests/programs/expect.h"

using namespace std::chrono_literals;

namespace {

void threads_join_and_return() {
  std::vector<int> order;
  revenant::thread first([&] { order.push_back(1); });
  revenant::thread second(
      [&order](int n, const std::string& text) {
        order.push_back(n + static_cast<int>(text.size()));
      },
      2, std::string("xyz"));
  EXPECT(first.joinable() && second.joinable());
  EXPECT(first.get_id() != second.get_id());
  first.join();
  second.join();
  EXPECT(!first.joinable());
  EXPECT((order == std::vector<int>{1, 5}));
  bool thrown = false;
  try {
    first.join();
  } catch (const std::system_error& error) {
    thrown = error.code() == std::errc::invalid_argument;
  }
  EXPECT(thrown);
}

void a_destructor_requests_a_stop_and_joins() {
  bool stopped = false;
  {
    const revenant::thread waiting([&](const std::stop_token& token) {
      while (!token.stop_requested()) revenant::this_thread::sleep_for(1ms);
      stopped = true;
    });
    revenant::this_thread::sleep_for(5ms);
  }
  EXPECT(stopped);
}

void mutexes_exclude() {
  revenant::mutex lock;
  int inside = 0;
  int total = 0;
  std::vector<revenant::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        const std::lock_guard guard(lock);
        EXPECT(++inside == 1);
        revenant::this_thread::yield();
        EXPECT(--inside == 0);
        ++total;
      }
    });
  }
  threads.clear();
  EXPECT(total == 1000);
  const std::lock_guard guard(lock);
  EXPECT(!lock.try_lock());
  bool thrown = false;
  try {
    lock.lock();
  } catch (const revenant::error& error) {
    thrown = error.code() == revenant::errc::deadlock;
  }
  EXPECT(thrown);
}

void conditions_wake_and_time_out() {
  revenant::mutex lock;
  revenant::condition_variable changed;
  int value = 0;
  revenant::thread setter([&] {
    revenant::this_thread::sleep_for(2ms);
    const std::lock_guard guard(lock);
    value = 1;
    changed.notify_all();
  });
  std::unique_lock held(lock);
  changed.wait(held, [&] { return value == 1; });
  EXPECT(held.owns_lock());
  EXPECT(changed.wait_for(held, 2ms) == std::cv_status::timeout);
  EXPECT(!changed.wait_for(held, 2ms, [&] { return value == 2; }));
  EXPECT(changed.wait_until(held, std::chrono::steady_clock::now() + 1h, [] { return true; }));
  std::stop_source source;
  revenant::thread stopper([&] {
    revenant::this_thread::sleep_for(2ms);
    source.request_stop();
  });
  EXPECT(!changed.wait(held, source.get_token(), [] { return false; }));
  held.unlock();
}

void channels_keep_order_and_close() {
  revenant::channel<int> channel(3);
  std::vector<int> received;
  {
    revenant::thread receiver([&] {
      while (const auto value = channel.receive()) received.push_back(*value);
    });
    for (int i = 0; i < 100; ++i) EXPECT(channel.send(i));
    channel.close();
    EXPECT(!channel.send(100));
    receiver.join();
  }
  EXPECT(received.size() == 100 && std::ranges::is_sorted(received));
  revenant::channel<int> empty(1);
  EXPECT(!empty.try_receive());
  EXPECT(!empty.receive_for(2ms));
  EXPECT(empty.try_send(1) && !empty.try_send(2));
  EXPECT(!empty.send_for(2, 2ms));
  std::stop_source source;
  source.request_stop();
  EXPECT(!empty.send(source.get_token(), 3));
}

// Nobody overtakes: of threads that send, or receive, for ever, each gets its turn in turn.
void channels_are_fair() {
  revenant::channel<int> full(2);
  revenant::channel<int> lean(2);
  std::map<int, int> sent;
  std::map<int, int> received;
  std::vector<revenant::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&full, i] {
      while (full.send(i)) {
      }
    });
    threads.emplace_back([&lean, &received, i] {
      while (lean.receive()) ++received[i];
    });
  }
  for (int n = 0; n < 2000; ++n) {
    ++sent[*full.receive()];
    EXPECT(lean.send(n));
  }
  full.close();
  lean.close();
  for (revenant::thread& thread : threads) thread.join();
  for (int i = 0; i < 20; ++i) {
    EXPECT(std::abs(sent[i] - 100) <= 2);  // the channel holds two
    EXPECT(std::abs(received[i] - 100) <= 2);
  }
}

void a_channel_without_room_is_a_meeting() {
  revenant::channel<int> meeting(0);
  bool sent = false;
  EXPECT(!meeting.try_send(1));
  revenant::thread sender([&] { sent = meeting.send(5); });
  revenant::this_thread::sleep_for(2ms);
  EXPECT(!sent);
  EXPECT(meeting.receive() == 5);
  sender.join();
  EXPECT(sent);
}

// The senders wait; nobody who receives does.
void a_try_meets_who_waits_to_send() {
  revenant::channel<int> meeting(0);
  EXPECT(!meeting.try_receive());
  std::vector<int> sent;
  std::vector<revenant::thread> senders;
  for (int i = 0; i < 3; ++i) {
    senders.emplace_back([&, i] {
      if (meeting.send(i)) sent.push_back(i);
    });
  }
  revenant::this_thread::sleep_for(2ms);
  EXPECT(sent.empty());
  EXPECT(meeting.try_receive() == 0);
  EXPECT(meeting.try_receive() == 1);
  EXPECT(!meeting.try_send(9));
  EXPECT(meeting.receive() == 2);
  EXPECT(!meeting.try_receive());
  senders.clear();
  EXPECT((sent == std::vector<int>{0, 1, 2}));
  revenant::thread last([&] { EXPECT(!meeting.send_for(3, 1ms) && !meeting.send(4)); });
  revenant::this_thread::sleep_for(5ms);
  meeting.close();
  EXPECT(!meeting.try_receive());
}

void exceptions_keep_to_their_threads() {
  std::vector<revenant::thread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([i] {
      for (int n = 0; n < 20; ++n) {
        try {
          throw std::runtime_error(std::to_string(i));
        } catch (const std::exception& error) {
          revenant::this_thread::sleep_for(100us);
          EXPECT(error.what() == std::to_string(i));
          EXPECT(std::uncaught_exceptions() == 0);
        }
      }
    });
  }
}

void roots_are_found_again_and_typed() {
  auto& numbers = revenant::root<std::map<std::string, int>>("app/numbers");
  numbers["one"] = 1;
  EXPECT((&revenant::root<std::map<std::string, int>>("app/numbers") == &numbers));
  EXPECT(revenant::find_root<int>("app/none") == nullptr);
  bool thrown = false;
  try {
    revenant::find_root<int>("app/numbers");
  } catch (const revenant::error& error) {
    thrown = error.code() == revenant::errc::wrong_type;
  }
  EXPECT(thrown);
  EXPECT(revenant::erase_root("app/numbers") && !revenant::erase_root("app/numbers"));
}

void revisions_rise_and_tags_are_taken_once() {
  const revenant::revision first = revenant::sync();
  const revenant::revision second = revenant::sync();
  EXPECT(second > first);
  EXPECT(revenant::tag("milestone") > second);
  bool thrown = false;
  try {
    revenant::tag("milestone");
  } catch (const revenant::error& error) {
    thrown = error.code() == revenant::errc::name_taken;
  }
  EXPECT(thrown);
  EXPECT(revenant::generation() == 1);
}

void held_functions_run_after_the_commit() {
  revenant::mutex lock;
  revenant::condition_variable ran;
  int runs = 0;
  for (int i = 0; i < 5; ++i) {
    revenant::after_commit([&] {
      const std::lock_guard guard(lock);
      ++runs;
      ran.notify_all();
    });
  }
  EXPECT(runs == 0);
  std::unique_lock held(lock);
  ran.wait(held, [&] { return runs == 5; });
}

void sleeps_last_at_least_as_long_as_asked() {
  const auto start = std::chrono::steady_clock::now();
  revenant::this_thread::sleep_for(20ms);
  EXPECT(std::chrono::steady_clock::now() - start >= 20ms);
  const auto wall = std::chrono::system_clock::now();
  revenant::this_thread::sleep_until(wall + 20ms);
  EXPECT(std::chrono::system_clock::now() - wall >= 20ms);
  revenant::this_thread::sleep_for(-1s);
}

void memory_outside_is_told_from_memory_inside() {
  const auto inside = [](const void* pointer) {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    return address >= 0x560000000000 && address < 0x568000000000;
  };
  const auto kept = std::make_unique<int>(1);
  EXPECT(inside(kept.get()));
  {
    const revenant::volatile_scope scope;
    const auto lost = std::make_unique<int>(1);
    EXPECT(!inside(lost.get()));
    revenant::this_thread::yield();
    EXPECT(!inside(std::make_unique<int>(2).get()));
  }
  EXPECT(inside(std::make_unique<int>(3).get()));
}

const std::map<std::string_view, std::function<void()>> kCases = {
    {"threads", threads_join_and_return},
    {"jthread", a_destructor_requests_a_stop_and_joins},
    {"mutex", mutexes_exclude},
    {"condition", conditions_wake_and_time_out},
    {"channel", channels_keep_order_and_close},
    {"fairness", channels_are_fair},
    {"rendezvous", a_channel_without_room_is_a_meeting},
    {"try_meeting", a_try_meets_who_waits_to_send},
    {"exceptions", exceptions_keep_to_their_threads},
    {"roots", roots_are_found_again_and_typed},
    {"revisions", revisions_rise_and_tags_are_taken_once},
    {"after_commit", held_functions_run_after_the_commit},
    {"sleep", sleeps_last_at_least_as_long_as_asked},
    {"volatile", memory_outside_is_told_from_memory_inside},
};

}  // namespace

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    const auto arguments = revenant::args();
    EXPECT(arguments.size() == 1);
    const auto found = kCases.find(arguments[0]);
    EXPECT(found != kCases.end());
    found->second();
    revenant::print("{} holds\n", arguments[0]);
    return 0;
  });
}
