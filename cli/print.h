// How results look: aligned tables, JSON lines, colour, human units, progress.
//
// P1  Results go to standard output, progress to standard error and only when that is a terminal.
// P2  With --json each result is one object on one line, and its first member is "v": 1.
// P3  Whatever bytes an image holds, no control character reaches the terminal and JSON stays
//     valid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace revenant::cli {

using Json = nlohmann::ordered_json;

enum class Paint { kNone, kBold, kDim, kRed, kYellow };

// The text between the escape sequences of `paint`, or bare.
std::string painted(std::string_view text, Paint paint, bool color);

// Whether --color=`choice` asks for colour on standard output; "auto" looks at it and at NO_COLOR.
bool wants_color(std::string_view choice);

// Control characters and bytes that are not UTF-8 become '?'. P3
std::string printable(std::string_view text);

std::string human_bytes(std::uint64_t bytes);                      // "4.0 KiB"
std::string human_count(std::uint64_t count);                      // "1,234,567"
std::string counted(std::uint64_t count, const std::string& one);  // "1 page", "2 pages"
std::string utc_time(std::int64_t wall_ns);                        // "2026-01-31T12:00:00.123Z"
std::string hex(const std::uint8_t* bytes, std::size_t size);
std::string hex_address(std::uint64_t address);  // "0x560000001000"

// One result in JSON. P2
void print_json(const Json& members);

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

// Rows under bold titles, each column as wide as its widest cell.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells);
  [[nodiscard]] std::string format(bool color) const;
  void print(bool color) const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// One line on standard error that is written over and over, and gone at the end. P1
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view text);
  // Removes the line, so that a result can be printed.
  void clear();

 private:
  const bool visible_;
  bool shown_ = false;
};

}  // namespace revenant::cli
