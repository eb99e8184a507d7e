// Types that hold other types: functions, variants, optionals, tuples, any.
#include <fmt/ranges.h>

#include <any>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <typeindex>
#include <variant>

#include "constructs.h"

namespace constructs {
namespace {

std::string functions() {
  std::vector<std::function<long(long)>> steps;
  std::vector<long> table(1000);
  std::iota(table.begin(), table.end(), 1);
  const std::string text(100, 't');
  steps.emplace_back([](long n) { return n + 1; });
  steps.emplace_back([table, text, extra = std::make_shared<int>(7)](long n) {  // a big capture
    moment();
    return n + table[999] + static_cast<long>(text.size()) + *extra;
  });
  steps.emplace_back(std::labs);
  // A function that calls itself through its own name.
  std::function<long(long)> fibonacci = [&fibonacci](long n) {
    if (n == 9) moment();
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
  };
  steps.push_back(fibonacci);
  long value = 3;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    value = steps[i](value);
    moment();
  }
  REQUIRE(value == 1111);
  return fmt::format("{} {}", value, steps.back()(15));
}

std::string lambdas() {
  int total = 0;
  auto count = [&total, calls = 0](int n) mutable {
    total += n;
    moment();
    return ++calls;
  };
  int (*const plain)(int) = [](int n) { return n * n; };
  const auto twice = [](auto function, auto argument) { return function(function(argument)); };
  int calls = 0;
  for (int n = 0; n < 5; ++n) calls = count(plain(n));
  REQUIRE(total == 30);
  return fmt::format("{} calls, {}, {}", calls, total, twice(plain, 3));
}

struct Leaf {
  int number;
};
struct Sum;
using Tree = std::variant<Leaf, std::unique_ptr<Sum>>;
struct Sum {
  Tree left, right;
};

struct Evaluate {
  int operator()(const Leaf& leaf) const { return leaf.number; }
  int operator()(const std::unique_ptr<Sum>& sum) const {
    const int left = std::visit(*this, sum->left);
    moment();
    return left + std::visit(*this, sum->right);
  }
};

std::string variants() {
  Tree tree = Leaf{1};
  for (int n = 2; n < 7; ++n) tree = std::make_unique<Sum>(Sum{std::move(tree), Leaf{n}});
  const int sum = std::visit(Evaluate(), tree);
  REQUIRE(sum == 21);
  std::variant<int, std::string, std::vector<int>> changing = 5;
  std::string seen;
  for (int n = 0; n < 6; ++n) {
    seen += fmt::format("{} ", changing.index());
    if (n % 3 == 0) changing = std::string(50, 's');
    if (n % 3 == 1) changing.emplace<std::vector<int>>(100, n);
    if (n % 3 == 2) changing = n;
    moment();
  }
  return fmt::format("{} {}", sum, seen);
}

std::string optionals() {
  std::optional<std::string> maybe;
  std::vector<std::optional<int>> cells(10);
  for (std::size_t i = 0; i < cells.size(); i += 3) {
    cells[i] = static_cast<int>(i);
    maybe = maybe.value_or("none") + "!";
    moment();
  }
  int empty = 0;
  for (const auto& cell : cells) empty += !cell.has_value();
  maybe.swap(*std::make_unique<std::optional<std::string>>("swapped with a string in the heap"));
  moment();
  return fmt::format("{} {}", empty, *maybe);
}

std::string anything() {
  std::vector<std::any> things;
  things.emplace_back(5);
  things.emplace_back(std::string("a string that is longer than the small buffer"));
  things.emplace_back(std::make_shared<std::vector<int>>(3, 9));
  things.emplace_back(std::map<int, std::any>{{1, 2.5}});
  moment();
  const auto* const inner = std::any_cast<std::map<int, std::any>>(&things[3]);
  REQUIRE(inner != nullptr && std::any_cast<double>(inner->at(1)) == 2.5);
  REQUIRE(std::any_cast<int>(&things[1]) == nullptr && things[0].type() == typeid(int));
  const std::any copy = things[2];
  moment();
  bool refused = false;
  try {
    (void)std::any_cast<float>(copy);
  } catch (const std::bad_any_cast&) {
    moment();
    refused = true;
  }
  return fmt::format("{} {}", refused, *std::any_cast<std::shared_ptr<std::vector<int>>>(copy));
}

std::string tuples() {
  auto record = std::make_tuple(1, std::string("two"), 3.0, std::vector<int>{4, 5});
  auto [number, text, real, list] = record;
  int& first = std::get<0>(record);
  moment();
  first = 10;
  std::tie(number, std::ignore, real, list) = record;
  moment();
  const auto joined = std::tuple_cat(record, std::make_pair('c', true));
  REQUIRE(number == 10 && std::get<5>(joined));
  return fmt::format("{}", joined);
}

std::string type_keys() {
  std::map<std::type_index, std::string> names;
  names[typeid(int)] = "int";
  names[typeid(std::string)] = "string";
  moment();
  names[typeid(Leaf)] = "leaf";
  moment();
  REQUIRE(names.size() == 3);
  return names.at(typeid(std::string)) + names.at(typeid(Leaf)) + names.at(typeid(int));
}

}  // namespace

std::vector<Case> values() {
  return {{"functions", functions}, {"lambdas", lambdas}, {"variants", variants},
          {"optionals", optionals}, {"any", anything},    {"tuples", tuples},
          {"type_keys", type_keys}};
}

}  // namespace constructs
