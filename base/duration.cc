#include "base/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace revenant::base {
namespace {

struct Unit {
  std::string_view name;
  double ns;
};

constexpr std::array kUnits = {
    Unit{"ns", 1},       Unit{"us", 1e3},       Unit{"ms", 1e6},        Unit{"s", 1e9},
    Unit{"m", 60 * 1e9}, Unit{"h", 3600 * 1e9}, Unit{"d", 86400 * 1e9},
};

Error not_a_duration(std::string_view text) {
  return {ErrorCode::kUsage, "\"" + std::string(text) +
                                 "\" is not a length of time; write a number and one of ns us ms s "
                                 "m h d, as in 100ms or 1.5s"};
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  auto [rest, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (failure != std::errc{} || !std::isfinite(number) || std::signbit(number)) {
    return not_a_duration(text);
  }
  const std::string_view name(rest, end);
  if (name.empty() && number == 0) return std::chrono::nanoseconds(0);
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    const double ns = number * unit.ns;
    // 2^63 ns are 292 years; the greatest double below it still fits.
    if (ns >= 9.2233720368547748e18) return not_a_duration(text);
    return std::chrono::nanoseconds(std::llround(ns));
  }
  return not_a_duration(text);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<double>(duration.count());
  const Unit* chosen = &kUnits.front();
  for (const Unit& unit : kUnits) {
    if (std::abs(ns) >= unit.ns) chosen = &unit;
  }
  const double count = ns / chosen->ns;
  // A tenth is worth showing only below ten, and never of a nanosecond.
  const bool tenths = std::abs(count) < 9.95 && chosen->ns > 1 && duration.count() != 0;
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), tenths ? "%.1f %s" : "%.0f %s", count,
                chosen->name.data());
  return text.data();
}

}  // namespace revenant::base
