#include "cli/print.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

namespace revenant::cli {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";

// The length of the UTF-8 sequence at the start of `text`, or 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and numbers past the last are no characters.
  if (length == 3 && lead == 0xe0 && byte(1) < 0xa0) return 0;
  if (length == 3 && lead == 0xed && byte(1) >= 0xa0) return 0;
  if (length == 4 && lead == 0xf0 && byte(1) < 0x90) return 0;
  if (length == 4 && lead == 0xf4 && byte(1) >= 0x90) return 0;
  return length;
}

// How many columns printable text takes; wide characters are not told apart.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& cell, std::size_t width, Align align, bool last) {
  const std::string space(width - std::min(width, width_of(cell)), ' ');
  if (align == Align::kRight) return space + cell;
  return last ? cell : cell + space;
}

}  // namespace

std::string painted(std::string_view text, Paint paint, bool color) {
  constexpr std::array<std::string_view, 5> kCodes = {"", "1", "2", "31", "33"};
  if (!color || paint == Paint::kNone) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(paint)], text);
}

bool wants_color(std::string_view choice) {
  if (choice == "always") return true;
  if (choice == "never") return false;
  const char* refused = std::getenv("NO_COLOR");
  return (refused == nullptr || *refused == '\0') && ::isatty(STDOUT_FILENO) == 1;
}

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto lead = static_cast<unsigned char>(text[0]);
    // The second block of control characters, U+0080 to U+009F, hides behind 0xc2.
    const bool control =
        lead < 0x20 || lead == 0x7f ||
        (lead == 0xc2 && length == 2 && static_cast<unsigned char>(text[1]) < 0xa0);
    const bool keep = length > 0 && !control;
    clean += keep ? text.substr(0, length) : "?";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto count = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (count >= 1023.95 && unit + 1 < kUnits.size()) {
    count /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", count, kUnits[unit]);
}

std::string human_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string counted(std::uint64_t count, const std::string& one) {
  return human_count(count) + ' ' + one + (count == 1 ? "" : "s");
}

std::string utc_time(std::int64_t wall_ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(wall_ns)};
  const auto second = floor<seconds>(time);
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(second.time_since_epoch().count()),
                     duration_cast<milliseconds>(time - second).count());
}

std::string hex(const std::uint8_t* bytes, std::size_t size) {
  return fmt::format("{:02x}", fmt::join(bytes, bytes + size, ""));
}

std::string hex_address(std::uint64_t address) { return fmt::format("{:#x}", address); }

void print_json(const Json& members) {
  Json line = {{"v", 1}};
  line.update(members);
  fmt::print("{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void Table::add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::format(bool color) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const auto line = [&](const auto& cell_at) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool last = i + 1 == columns_.size();
      text += padded(cell_at(i), widths[i], columns_[i].align, last) + (last ? "" : "  ");
    }
    // An empty last cell leaves no blanks behind.
    return text.erase(text.find_last_not_of(' ') + 1);
  };
  std::string text =
      painted(line([&](std::size_t i) { return columns_[i].title; }), Paint::kBold, color) + "\n";
  for (const auto& row : rows_) text += line([&](std::size_t i) { return row[i]; }) + "\n";
  return text;
}

void Table::print(bool color) const { fmt::print("{}", format(color)); }

Progress::Progress() : visible_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::show(std::string_view text) {
  if (!visible_) return;
  fmt::print(stderr, "{}{}", kEraseLine, text);
  shown_ = true;
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "{}", kEraseLine);
  shown_ = false;
}

}  // namespace revenant::cli
