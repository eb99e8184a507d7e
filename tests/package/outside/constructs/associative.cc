// Containers that find by key: filled, walked and thinned step by step, with iterators held.
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "constructs.h"

namespace constructs {
namespace {

// Words that are spread as the digits of powers are.
std::string word(unsigned long n) { return fmt::format("{:x}", n * n * 2654435761UL % 1000003UL); }

std::string map() {
  std::map<std::string, int, std::less<>> counts;
  for (unsigned long n = 0; n < 600; ++n) {
    ++counts[word(n % 200)];
    if (n % 100 == 0) moment();
  }
  int total = 0;
  for (auto at = counts.begin(); at != counts.end();) {
    total += at->second;
    if (total % 90 == 0) moment();
    at = at->first.size() % 2 == 0 ? counts.erase(at) : std::next(at);
  }
  REQUIRE(total == 600);
  auto node = counts.extract(counts.begin());
  moment();
  node.key() = "renamed";
  counts.insert(std::move(node));
  return fmt::format("{} left, one of them {}", counts.size(), counts.find("renamed")->first);
}

std::string multimap() {
  std::multimap<int, std::string> by_length;
  for (unsigned long n = 0; n < 100; ++n)
    by_length.emplace(static_cast<int>(word(n).size()), word(n));
  std::string sizes;
  for (int length = 1; length <= 5; ++length) {
    const auto [first, last] = by_length.equal_range(length);
    moment();
    sizes += fmt::format("{} ", std::distance(first, last));
  }
  REQUIRE(by_length.size() == 100);
  return sizes;
}

std::string set() {
  const auto by_last_digit = [](int a, int b) {
    return a % 10 != b % 10 ? a % 10 < b % 10 : a < b;
  };
  std::set<int, decltype(by_last_digit)> numbers(by_last_digit);
  for (int n = 0; n < 50; ++n) {
    numbers.insert(n * 7 % 50);
    if (n % 9 == 0) moment();
  }
  const auto held = numbers.find(25);
  moment();
  REQUIRE(*held == 25 && *std::next(held) == 35);
  return fmt::format("{}", numbers);
}

std::string multiset() {
  std::multiset<std::string> words;
  for (unsigned long n = 0; n < 40; ++n) words.insert(word(n % 8));
  moment();
  const auto erased = words.erase(word(3));
  moment();
  words.merge(std::multiset<std::string>{"a", "a"});
  return fmt::format("{} erased, {} left, {} of a", erased, words.size(), words.count("a"));
}

std::string unordered_map() {
  std::unordered_map<std::string, std::vector<int>> index;
  for (int n = 0; n < 800; ++n) {
    index[word(static_cast<unsigned long>(n) % 130)].push_back(n);
    if (n % 130 == 0) moment();
  }
  const auto* const held = &index.at(word(7));
  index.rehash(5000);
  moment();
  REQUIRE(held == &index.at(word(7)));
  std::size_t all = 0;
  for (const auto& [key, places] : index) all += places.size();
  REQUIRE(all == 800);
  return fmt::format("{} words, {} at {}", index.size(), word(7), index.at(word(7)));
}

struct Point {
  int x, y;
  bool operator==(const Point&) const = default;
};
struct PointHash {
  std::size_t operator()(const Point& point) const {
    return std::hash<int>()(point.x) * 31 + std::hash<int>()(point.y);
  }
};

std::string unordered_set() {
  std::unordered_set<Point, PointHash> seen;
  Point at{0, 0};
  for (int n = 0; n < 300; ++n) {
    seen.insert(at);
    if (n % 60 == 0) moment();
    (n * n / 7 % 2 == 0 ? at.x : at.y) += n % 3 - 1;
  }
  std::set<std::pair<int, int>> oracle;
  for (const Point& point : seen) oracle.emplace(point.x, point.y);
  moment();
  REQUIRE(oracle.size() == seen.size() && seen.contains({0, 0}));
  return fmt::format("{} places", seen.size());
}

std::string unordered_multi() {
  std::unordered_multimap<int, int> divisors;
  std::unordered_multiset<int> counts;
  for (int n = 1; n <= 60; ++n) {
    for (int d = 1; d <= n; ++d) {
      if (n % d == 0) divisors.emplace(n, d);
    }
    if (n % 12 == 0) moment();
    counts.insert(static_cast<int>(divisors.count(n)));
  }
  REQUIRE(divisors.count(60) == 12);
  return fmt::format("{} primes, {} squares of primes", counts.count(2), counts.count(3));
}

// Pointers and hashes of pointers mean the same in every life: addresses do not change.
std::string keyed_by_address() {
  std::vector<std::unique_ptr<int>> owned;
  std::unordered_map<const int*, int> names;
  std::set<const int*> order;
  for (int n = 0; n < 50; ++n) {
    owned.push_back(std::make_unique<int>(n));
    names.emplace(owned.back().get(), n);
    order.insert(owned.back().get());
    if (n % 10 == 0) moment();
  }
  int found = 0;
  for (const auto& each : owned)
    found += names.at(each.get()) == *each && order.contains(each.get());
  REQUIRE(found == 50);
  return fmt::format("{} found", found);
}

}  // namespace

std::vector<Case> associative() {
  return {{"map", map},
          {"multimap", multimap},
          {"set", set},
          {"multiset", multiset},
          {"unordered_map", unordered_map},
          {"unordered_set", unordered_set},
          {"unordered_multi", unordered_multi},
          {"keyed_by_address", keyed_by_address}};
}

}  // namespace constructs
