// Coroutines: generators, tasks that wait for each other, and many of them suspended at once.
#include <fmt/ranges.h>

#include <coroutine>
#include <deque>
#include <exception>
#include <stdexcept>
#include <utility>

#include "constructs.h"

namespace constructs {
namespace {

template <class T>
class Generator {
 public:
  struct promise_type {
    T value{};
    std::exception_ptr error;
    Generator get_return_object() { return Generator(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(T next) {
      value = std::move(next);
      return {};
    }
    void return_void() {}
    void unhandled_exception() { error = std::current_exception(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Generator(Generator&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Generator& operator=(Generator&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Generator() {
    if (handle_) handle_.destroy();
  }

  bool next() {
    handle_.resume();
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return !handle_.done();
  }
  [[nodiscard]] const T& value() const { return handle_.promise().value; }

 private:
  explicit Generator(Handle handle) : handle_(handle) {}
  Handle handle_;
};

Generator<long> fibonacci(long limit) {
  long a = 0;
  long b = 1;
  while (a < limit) {
    co_yield a;
    moment();  // inside of the coroutine, on the thread that resumed it
    a = std::exchange(b, a + b);
  }
}

std::string generator() {
  std::vector<long> numbers;
  for (auto each = fibonacci(100); each.next();) numbers.push_back(each.value());
  return fmt::format("{}", numbers);
}

Generator<std::string> letters(char from, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += static_cast<char>(from + i);
    co_yield text;
  }
  throw std::range_error("no more of " + text);
}

std::string suspended_in_vector() {
  std::vector<Generator<std::string>> suspended;
  for (int i = 0; i < 20; ++i) suspended.push_back(letters(static_cast<char>('a' + i), 5));
  std::string last;
  for (int round = 0; round < 5; ++round) {
    for (auto& each : suspended) REQUIRE(each.next());
    moment();
    last += suspended[static_cast<std::size_t>(round)].value() + " ";
  }
  try {
    suspended[3].next();
  } catch (const std::range_error& error) {
    moment();
    last += error.what();
  }
  return last;
}

// Recursion by generators of generators.
Generator<std::vector<int>> permutations(std::vector<int> of) {
  if (of.size() <= 1) {
    co_yield of;
    co_return;
  }
  for (std::size_t i = 0; i < of.size(); ++i) {
    std::vector<int> rest = of;
    rest.erase(rest.begin() + static_cast<long>(i));
    for (auto inner = permutations(rest); inner.next();) {
      std::vector<int> whole = {of[i]};
      whole.insert(whole.end(), inner.value().begin(), inner.value().end());
      co_yield whole;
    }
  }
}

std::string recursive_generators() {
  int count = 0;
  std::vector<int> last;
  for (auto each = permutations({1, 2, 3, 4}); each.next(); ++count) {
    if (count % 5 == 0) moment();
    REQUIRE(last < each.value());
    last = each.value();
  }
  REQUIRE(count == 24);
  return fmt::format("{} {}", count, last);
}

// A scheduler of one's own: tasks that wait for a turn in a queue.
struct Turns {
  std::deque<std::coroutine_handle<>> ready;
  struct Turn {
    Turns& turns;
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { turns.ready.push_back(waiting); }
    void await_resume() const {}
  };
  Turn next() { return {*this}; }
};
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Task count_down(Turns& turns, std::string& log, char name, int from) {
  const std::string owned(40, name);
  for (int n = from; n > 0; --n) {
    log += fmt::format("{}{} ", owned.back(), n);
    co_await turns.next();
  }
}

std::string scheduled_tasks() {
  Turns turns;
  std::string log;
  count_down(turns, log, 'a', 3);
  count_down(turns, log, 'b', 5);
  count_down(turns, log, 'c', 4);
  while (!turns.ready.empty()) {
    const auto task = turns.ready.front();
    turns.ready.pop_front();
    if (turns.ready.empty() || log.size() % 4 == 0) moment();
    task.resume();
  }
  return log;
}

}  // namespace

std::vector<Case> coroutines() {
  return {{"generator", generator},
          {"suspended_in_vector", suspended_in_vector},
          {"recursive_generators", recursive_generators},
          {"scheduled_tasks", scheduled_tasks}};
}

}  // namespace constructs
