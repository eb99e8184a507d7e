#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "tests/crash/oracle.h"

namespace revenant::crash {
namespace {

// The board as lines say it, rows joined by '/'.
using Board = std::string;

// By counting, for each living cell, what it adds to those around it: not as the app does it.
Board successor(const Board& board) {
  const std::size_t width = std::min(board.find('/'), board.size());
  const std::size_t height = (board.size() + 1) / (width + 1);
  std::vector<int> around(width * height, 0);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      if (board[y * (width + 1) + x] != '#') continue;
      const std::size_t rows[] = {(y + height - 1) % height, y, (y + 1) % height};
      const std::size_t columns[] = {(x + width - 1) % width, x, (x + 1) % width};
      for (const std::size_t row : rows) {
        for (const std::size_t column : columns) ++around[row * width + column];
      }
      --around[y * width + x];
    }
  }
  Board next = board;
  for (std::size_t at = 0; at < around.size(); ++at) {
    char& cell = next[at / width * (width + 1) + at % width];
    const bool lives = around[at] == 3 || (around[at] == 2 && cell == '#');
    cell = lives ? '#' : '.';
  }
  return next;
}

class LifeOracle final : public Oracle {
 public:
  void store_renewed() override {
    boards_.clear();
    numbers_->store_renewed();
  }
  void life_begins() override { numbers_->life_begins(); }
  void revision_seen(std::uint64_t revision) override { numbers_->revision_seen(revision); }
  [[nodiscard]] bool has_gone_on() const override { return numbers_->has_gone_on(); }

  std::optional<std::string> judge(std::string_view line) override {
    const bool redrawn = line.starts_with(kRedrawn);
    const std::string_view text = line.substr(std::min(
        line.size(), redrawn || !line.starts_with(kNext) ? kRedrawn.size() : kNext.size()));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if ((!redrawn && !line.starts_with(kNext)) || error != std::errc() || !rest.starts_with(": ")) {
      return "life printed something else than a generation";
    }
    auto broken = judge_board(number, Board(rest.substr(2)));
    if (broken || redrawn) return broken;
    return numbers_->judge(std::to_string(number) + " of " + std::to_string(number + 1));
  }

 private:
  static constexpr std::string_view kRedrawn = "redrawn ";
  static constexpr std::string_view kNext = "generation ";

  std::optional<std::string> judge_board(std::uint64_t number, Board board) {
    if (number > boards_.size()) {
      return "G1: generation " + std::to_string(number) + " is shown before its predecessor";
    }
    if (number == boards_.size()) {
      if (number > 0 && successor(boards_.back()) != board) {
        return "G2: generation " + std::to_string(number) + " does not follow from the last one";
      }
      boards_.push_back(std::move(board));
    } else if (boards_[number] != board) {
      return "G3: generation " + std::to_string(number) + " is not what it was";
    }
    return std::nullopt;
  }

  std::vector<Board> boards_;
  std::unique_ptr<Oracle> numbers_ = make_counter_oracle();
};

}  // namespace

std::unique_ptr<Oracle> make_life_oracle() { return std::make_unique<LifeOracle>(); }

}  // namespace revenant::crash
