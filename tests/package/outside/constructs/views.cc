// Strings of every width, and views into memory that outlives the process.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>

#include "constructs.h"

namespace constructs {
namespace {

std::string strings() {
  std::string shorter = "short";  // lies in the object itself
  std::string longer(200, 'x');   // lies in the heap
  for (int i = 0; i < 5; ++i) {
    shorter += shorter.back();
    longer.insert(longer.size() / 2, fmt::format("<{}>", i));
    moment();
    longer.replace(0, 3, "");
    longer.resize(longer.size() + 1, 'y');
  }
  const std::string moved = std::move(longer);
  moment();
  REQUIRE(moved.size() == 205 && shorter == "shortttttt");
  return shorter + " " + moved.substr(moved.find('<'), 15);
}

template <class Character>
std::basic_string<Character> doubled(const std::basic_string<Character>& text) {
  std::basic_string<Character> twice;
  for (const Character each : text) {
    twice += each;
    twice += each;
    if (twice.size() % 8 == 0) moment();
  }
  return twice;
}

std::string wide_strings() {
  const std::u16string sixteen = doubled(std::u16string(u"süß, \u20ac and \U0001F600"));
  const std::u32string thirty_two = doubled(std::u32string(U"\U0001F600 and more of it"));
  const std::wstring wide = doubled(std::wstring(L"wide as it gets"));
  const std::u8string eight = doubled(std::u8string(u8"eight bits"));
  REQUIRE(sixteen[0] == u's' && sixteen[3] == u'ü' && thirty_two[1] == U'\U0001F600');
  return fmt::format("{} {} {} {}", sixteen.size(), thirty_two.size(), wide.size(), eight.size());
}

std::string string_views() {
  const auto text = std::make_unique<std::string>("the quick brown fox jumps over the lazy dog");
  std::string_view rest = *text;
  std::vector<std::string_view> words;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    words.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (words.size() % 2 == 0) moment();
  }
  std::sort(words.begin(), words.end());
  moment();
  for (const std::string_view word : words) {
    REQUIRE(word.data() >= text->data() &&
            word.data() + word.size() <= text->data() + text->size());
  }
  std::string sorted;
  for (const std::string_view word : words) sorted.append(word).append(" ");
  return sorted;
}

std::string spans() {
  std::vector<double> grid(400);
  std::iota(grid.begin(), grid.end(), 0.0);
  const std::span<double> all(grid);
  const std::span<const std::byte> bytes = std::as_bytes(all);
  for (std::size_t row = 0; row < 20; row += 4) {
    const std::span<double> one = all.subspan(row * 20, 20);
    moment();
    std::reverse(one.begin(), one.end());
  }
  REQUIRE(bytes.size() == 3200 && static_cast<const void*>(bytes.data()) == grid.data());
  return fmt::format("{} {} {} {}", grid[0], grid[19], grid[20], all.last(1)[0]);
}

}  // namespace

std::vector<Case> views() {
  return {{"strings", strings},
          {"wide_strings", wide_strings},
          {"string_views", string_views},
          {"spans", spans}};
}

}  // namespace constructs
