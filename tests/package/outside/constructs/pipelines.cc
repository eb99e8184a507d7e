// Ranges: pipelines of views, held and half walked when the program dies.
#include "constructs.h"

// clang 14 cannot compile libstdc++ 12's views.
#ifdef __clang__

namespace constructs {

std::vector<Case> pipelines() { return {}; }

}  // namespace constructs

#else

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <sstream>

namespace constructs {
namespace {

namespace views = std::views;

std::string pipeline() {
  std::vector<int> numbers(100);
  for (int i = 0; i < 100; ++i) numbers[static_cast<std::size_t>(i)] = i * 7 % 100;
  auto chosen = numbers | views::filter([](int n) { return n % 3 == 0; }) | views::drop(2) |
                views::transform([](int n) { return n * n; }) | views::take(8);
  std::vector<int> seen;
  for (const int square : chosen) {
    seen.push_back(square);
    if (seen.size() % 2 == 0) moment();
  }
  const auto end = chosen.begin();  // what filter has found is cached in the view
  moment();
  REQUIRE(*end == seen[0] && std::ranges::distance(chosen) == 8);
  return fmt::format("{}", seen);
}

std::string split_and_join() {
  const std::string text = "one,two,,three";
  std::string joined;
  for (const auto part : text | views::split(',')) {
    moment();
    joined += "[" + std::string(part.begin(), part.end()) + "]";
  }
  const std::vector<std::vector<int>> rows = {{1, 2}, {}, {3}, {4, 5, 6}};
  int sum = 0;
  for (const int n : rows | views::join | views::reverse) {
    if (n % 2 == 0) moment();
    sum = sum * 10 + n;
  }
  return fmt::format("{} {}", joined, sum);
}

std::string from_a_stream() {
  std::istringstream in("4 8 15 16 23 42");
  int sum = 0;
  for (const int n :
       std::ranges::istream_view<int>(in) | views::take_while([](int n) { return n < 40; })) {
    moment();
    sum += n;
  }
  const std::map<std::string, int> ages = {{"ann", 31}, {"bob", 27}};
  for (const int age : ages | views::values) sum += age;
  for (const auto& name : ages | views::keys) sum += static_cast<int>(name.size());
  return fmt::format("{}", sum);
}

std::string range_algorithms() {
  struct Item {
    std::string name;
    int price;
  };
  std::vector<Item> items = {{"a long name of one thing", 30}, {"b", 10}, {"c", 20}};
  std::ranges::sort(
      items,
      [](int a, int b) {
        moment();
        return a < b;
      },
      &Item::price);
  const auto found = std::ranges::find(items, "c", &Item::name);
  moment();
  std::vector<int> squares;
  std::ranges::copy(views::iota(1, 6) | views::transform([](int n) { return n * n; }),
                    std::back_inserter(squares));
  return fmt::format("{} {} {}", items[2].name, found - items.begin(), squares);
}

}  // namespace

std::vector<Case> pipelines() {
  return {{"pipeline", pipeline},
          {"split_and_join", split_and_join},
          {"from_a_stream", from_a_stream},
          {"range_algorithms", range_algorithms}};
}

}  // namespace constructs

#endif
