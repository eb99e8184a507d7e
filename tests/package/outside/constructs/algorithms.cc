// Algorithms interrupted in their own middle: what they call sleeps.
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <numeric>

#include "constructs.h"

namespace constructs {
namespace {

// Some of the calls sleep: about one in `rarity`.
template <class Function>
auto sleeping(int rarity, Function function) {
  return [rarity, function, calls = std::make_shared<int>(0)](const auto&... arguments) {
    if (++*calls % rarity == 0) moment();
    return function(arguments...);
  };
}

std::vector<int> mixed(int count) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(static_cast<int>(i * 7919L % count));
  return numbers;
}

std::string sort() {
  std::vector<int> numbers = mixed(500);
  std::sort(numbers.begin(), numbers.end(), sleeping(700, std::less<>()));
  REQUIRE(std::is_sorted(numbers.begin(), numbers.end()) && numbers[499] == 499);
  std::stable_sort(numbers.begin(), numbers.end(),
                   sleeping(700, [](int a, int b) { return a % 10 < b % 10; }));
  std::vector<int> heap = mixed(100);
  std::make_heap(heap.begin(), heap.end(), sleeping(40, std::less<>()));
  std::sort_heap(heap.begin(), heap.end(), sleeping(200, std::less<>()));
  REQUIRE(heap[0] == 0 && heap[99] == 99);
  std::nth_element(heap.begin(), heap.begin() + 30, heap.end(), sleeping(50, std::greater<>()));
  return fmt::format("{} {} {}", numbers[0], numbers[50], heap[30]);
}

std::string numeric_algorithms() {
  const std::vector<int> numbers = mixed(200);
  const int sum = std::accumulate(numbers.begin(), numbers.end(), 0, sleeping(50, std::plus<>()));
  std::vector<int> sums;
  std::partial_sum(numbers.begin(), numbers.end(), std::back_inserter(sums),
                   sleeping(60, std::plus<>()));
  const int product =
      std::inner_product(numbers.begin(), numbers.begin() + 20, numbers.begin() + 20, 0,
                         std::plus<>(), sleeping(10, std::multiplies<>()));
  REQUIRE(sum == 19900 && sums.back() == sum);
  return fmt::format("{} {}", sum, product);
}

std::string searching() {
  std::vector<int> numbers = mixed(300);
  const auto big =
      std::count_if(numbers.begin(), numbers.end(), sleeping(70, [](int n) { return n > 200; }));
  const auto removed = std::remove_if(numbers.begin(), numbers.end(),
                                      sleeping(70, [](int n) { return n % 3 == 0; }));
  numbers.erase(removed, numbers.end());
  std::sort(numbers.begin(), numbers.end());
  const auto at = std::lower_bound(numbers.begin(), numbers.end(), 150, sleeping(3, std::less<>()));
  std::string permuted = "abcd";
  int permutations = 0;
  do {
    if (++permutations % 8 == 0) moment();
  } while (std::next_permutation(permuted.begin(), permuted.end()));
  std::vector<std::string> words(5);
  std::generate(words.begin(), words.end(), sleeping(2, [n = std::make_shared<int>(0)] {
                  return std::string(20, static_cast<char>('a' + (*n)++));
                }));
  return fmt::format("{} {} {} {} {}", big, numbers.size(), *at, permutations, words[4]);
}

int compare(const void* a, const void* b) {
  const int left = *static_cast<const int*>(a);
  const int right = *static_cast<const int*>(b);
  if ((left + right) % 97 == 0) moment();
  return left - right;
}

// C's: the library's frames are between the callback and the caller.
std::string c_callbacks() {
  std::vector<int> numbers = mixed(200);
  std::qsort(numbers.data(), numbers.size(), sizeof(int), compare);
  REQUIRE(std::is_sorted(numbers.begin(), numbers.end()));
  int calls = 0;
  ::qsort_r(
      numbers.data(), numbers.size(), sizeof(int),
      [](const void* a, const void* b, void* counted) {
        if (++*static_cast<int*>(counted) % 400 == 0) moment();
        return *static_cast<const int*>(b) - *static_cast<const int*>(a);
      },
      &calls);
  REQUIRE(numbers.front() == 199 && calls > 0);
  std::reverse(numbers.begin(), numbers.end());
  const int key = 97 * 2;
  const auto* const found = static_cast<const int*>(
      std::bsearch(&key, numbers.data(), numbers.size(), sizeof(int), compare));
  return fmt::format("{}", found - numbers.data());
}

}  // namespace

std::vector<Case> algorithms() {
  return {{"sort", sort},
          {"numeric_algorithms", numeric_algorithms},
          {"searching", searching},
          {"c_callbacks", c_callbacks}};
}

}  // namespace constructs
