// Containers that keep an order of their own: filled and emptied from both ends, step by step, with
// iterators and references held all along, against arithmetic.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <deque>
#include <forward_list>
#include <list>
#include <numeric>
#include <queue>
#include <stack>

#include "constructs.h"

namespace constructs {
namespace {

constexpr int kSteps = 6;
constexpr int kPerStep = 300;

std::string vector() {
  std::vector<int> numbers;
  for (int step = 0; step < kSteps; ++step) {
    for (int i = 0; i < kPerStep; ++i) numbers.push_back(step * kPerStep + i);
    const int* const last = &numbers.back();
    moment();
    REQUIRE(last == &numbers.back() && *last == (step + 1) * kPerStep - 1);
  }
  auto odd =
      std::stable_partition(numbers.begin(), numbers.end(), [](int n) { return n % 2 == 0; });
  moment();
  numbers.erase(numbers.begin(), odd);
  numbers.shrink_to_fit();
  constexpr long kHalf = kSteps * kPerStep / 2;
  const long sum = std::accumulate(numbers.begin(), numbers.end(), 0L);
  REQUIRE(sum == kHalf * kHalf);
  return fmt::format("{} odd numbers, sum {}", numbers.size(), sum);
}

std::string vector_of_bool() {
  std::vector<bool> composite(2000, false);
  int primes = 0;
  for (std::size_t n = 2; n < composite.size(); ++n) {
    if (composite[n]) continue;
    ++primes;
    if (n < 20) moment();
    for (std::size_t m = n * n; m < composite.size(); m += n) composite[m] = true;
  }
  REQUIRE(primes == 303);
  return fmt::format("{} primes", primes);
}

std::string nested_vectors() {
  std::vector<std::vector<std::string>> rows;
  for (int row = 0; row < kSteps; ++row) {
    rows.emplace_back();
    for (int i = 0; i <= row; ++i)
      rows.back().push_back(std::string(30, 'a' + row) + fmt::format("{}", i));
    moment();
  }
  std::rotate(rows.begin(), rows.begin() + 2, rows.end());
  moment();
  REQUIRE(rows.back().size() == 2 && rows.back()[1] == std::string(30, 'b') + "1");
  return fmt::format("{}", rows);
}

std::string deque() {
  std::deque<int> line;
  for (int step = 0; step < kSteps; ++step) {
    for (int i = 0; i < kPerStep; ++i) {
      line.push_back(i);
      line.push_front(-i);
    }
    const int& middle = line[line.size() / 2];
    const auto at_middle = line.begin() + static_cast<long>(line.size() / 2);
    moment();
    REQUIRE(&*at_middle == &middle);
    for (int i = 0; i < kPerStep / 2; ++i) {
      line.pop_front();
      line.pop_back();
    }
  }
  const long sum = std::accumulate(line.begin(), line.end(), 0L);
  REQUIRE(sum == 0 && line.size() == kSteps * kPerStep);
  return fmt::format("{} in line, first {}, last {}", line.size(), line.front(), line.back());
}

std::string list() {
  std::list<std::string> waiting;
  std::list<std::string> served;
  std::vector<std::list<std::string>::iterator> remembered;
  for (int i = 0; i < 40; ++i)
    remembered.push_back(waiting.insert(waiting.end(), fmt::format("guest {}", i)));
  for (int i = 0; i < 40; i += 5) {
    moment();
    served.splice(served.begin(), waiting, remembered[static_cast<std::size_t>(i)]);
  }
  waiting.sort(std::greater<>());
  moment();
  waiting.reverse();
  served.sort();
  waiting.merge(served);
  REQUIRE(std::is_sorted(waiting.begin(), waiting.end()) && waiting.size() == 40 && served.empty());
  REQUIRE(*remembered[39] == "guest 39");
  return fmt::format("{} then {}", waiting.front(), waiting.back());
}

std::string forward_list() {
  std::forward_list<int> chain;
  for (int i = 0; i < 100; ++i) chain.push_front(i * 37 % 100);
  auto before = chain.before_begin();
  for (int i = 0; i < 50; ++i) {
    if (i % 10 == 0) moment();
    chain.erase_after(before);
    ++before;
  }
  chain.sort();
  moment();
  chain.unique();
  return fmt::format("{}", chain);
}

std::string stack() {
  std::array<std::vector<int>, 3> pegs = {{{5, 4, 3, 2, 1}, {}, {}}};
  // Hanoi without recursion: what is still to be done is what lies on the stack.
  struct Task {
    int disks, from, to;
  };
  std::stack<Task, std::vector<Task>> tasks;
  tasks.push({5, 0, 2});
  int moves = 0;
  while (!tasks.empty()) {
    const Task task = tasks.top();
    tasks.pop();
    if (task.disks == 1) {
      auto& source = pegs[static_cast<std::size_t>(task.from)];
      auto& target = pegs[static_cast<std::size_t>(task.to)];
      REQUIRE(target.empty() || target.back() > source.back());
      target.push_back(source.back());
      source.pop_back();
      if (++moves % 4 == 0) moment();
      continue;
    }
    const int spare = 3 - task.from - task.to;
    tasks.push({task.disks - 1, spare, task.to});
    tasks.push({1, task.from, task.to});
    tasks.push({task.disks - 1, task.from, spare});
  }
  REQUIRE(moves == 31);
  return fmt::format("{} moves, {}", moves, pegs);
}

std::string queue() {
  std::queue<std::string> messages;
  std::string received;
  for (int i = 0; i < 30; ++i) {
    messages.push(fmt::format("{};", i));
    if (i % 5 == 0) moment();
    if (i % 2 == 1) {
      received += messages.front();
      messages.pop();
    }
  }
  for (; !messages.empty(); messages.pop()) received += messages.front();
  return received;
}

std::string priority_queue() {
  const auto later = [](const std::pair<int, std::string>& a,
                        const std::pair<int, std::string>& b) { return a > b; };
  std::priority_queue<std::pair<int, std::string>, std::vector<std::pair<int, std::string>>,
                      decltype(later)>
      due(later);
  for (int i = 0; i < 60; ++i) due.emplace(i * 23 % 60, fmt::format("task {}", i));
  std::vector<int> done;
  for (; !due.empty(); due.pop()) {
    if (done.size() % 10 == 0) moment();
    done.push_back(due.top().first);
  }
  REQUIRE(std::is_sorted(done.begin(), done.end()) && done.size() == 60);
  return fmt::format("{} to {}", done.front(), done.back());
}

std::string array_and_bitset() {
  std::array<std::bitset<64>, 8> board{};
  for (std::size_t row = 0; row < board.size(); ++row) {
    for (std::size_t i = 0; i < 64; i += row + 1) board[row].set(i);
    moment();
  }
  std::size_t count = 0;
  for (const auto& row : board) count += row.count();
  REQUIRE(count == 64 + 32 + 22 + 16 + 13 + 11 + 10 + 8);
  return fmt::format("{} {}", count, (board[2] ^ board[3]).to_string());
}

}  // namespace

std::vector<Case> sequences() {
  return {{"vector", vector},
          {"vector_of_bool", vector_of_bool},
          {"nested_vectors", nested_vectors},
          {"deque", deque},
          {"list", list},
          {"forward_list", forward_list},
          {"stack", stack},
          {"queue", queue},
          {"priority_queue", priority_queue},
          {"array_and_bitset", array_and_bitset}};
}

}  // namespace constructs
