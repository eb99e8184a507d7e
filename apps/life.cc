// Conway's Game of Life on a torus. Killed at any instant and started again, it goes on with the
// next generation.
//
//   life [--size WxH] [--speed N] [--seed N] [flags of run()]
//
// --speed is in generations a second. On a terminal it draws, and after a restart all of it: the
// screen may be another one. Elsewhere it prints a line a generation, rows joined by '/':
//
//   generation N: ..#./.#../....     redrawn N: ...     the last one again, after a restart
#include <revenant/revenant.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "flags.h"

using namespace std::chrono_literals;

namespace {

struct Settings {
  int width = 64;
  int height = 32;
  int speed = 20;
  unsigned seed = 1;
};

class World {
 public:
  explicit World(const Settings& settings)
      : width_(settings.width), height_(settings.height), rows_(height_, std::string(width_, '.')) {
    std::mt19937 random(settings.seed);
    for (std::string& row : rows_) {
      for (char& cell : row) cell = random() % 4 == 0 ? '#' : '.';
    }
  }

  void step() {
    std::vector<std::string> next = rows_;
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        const int around = neighbours(x, y);
        next[y][x] = around == 3 || (around == 2 && alive(x, y)) ? '#' : '.';
      }
    }
    rows_.swap(next);
    ++generation_;
  }

  [[nodiscard]] std::string line() const {
    std::string all;
    for (const std::string& row : rows_) all += (all.empty() ? "" : "/") + row;
    return std::to_string(generation_) + ": " + all;
  }

  // Two rows of cells to a row of the terminal.
  [[nodiscard]] std::string picture() const {
    static constexpr const char* kHalves[] = {" ", "▀", "▄", "█"};
    std::string all;
    for (int y = 0; y < height_; y += 2) {
      for (int x = 0; x < width_; ++x) {
        const bool below = y + 1 < height_ && alive(x, y + 1);
        all += kHalves[(alive(x, y) ? 1 : 0) + (below ? 2 : 0)];
      }
      all += "\n";
    }
    return all + "generation " + std::to_string(generation_) + "\x1b[K\n";
  }

 private:
  [[nodiscard]] bool alive(int x, int y) const {
    return rows_[(y + height_) % height_][(x + width_) % width_] == '#';
  }
  [[nodiscard]] int neighbours(int x, int y) const {
    int count = 0;
    for (const int dy : {-1, 0, 1}) {
      for (const int dx : {-1, 0, 1}) count += (dx != 0 || dy != 0) && alive(x + dx, y + dy);
    }
    return count;
  }

  int width_;
  int height_;
  long generation_ = 0;
  std::vector<std::string> rows_;
};

void draw(const World& world, bool anew) {
  if (::isatty(STDOUT_FILENO) != 0) {
    revenant::print("{}\x1b[H{}", anew ? "\x1b[2J" : "", world.picture());
  } else {
    revenant::print("{} {}\n", anew ? "redrawn" : "generation", world.line());
  }
}

Settings settings_of(const std::vector<std::string_view>& args) {
  Settings settings;
  flags::for_each("life", args, [&](std::string_view flag, std::string_view value) {
    if (flag == "--size") {
      const std::size_t x = value.find('x');
      settings.width = static_cast<int>(flags::number(flag, value.substr(0, x), 1, 1000));
      const std::string_view height = x == value.npos ? "" : value.substr(x + 1);
      settings.height = static_cast<int>(flags::number(flag, height, 1, 1000));
    } else if (flag == "--speed") {
      settings.speed = static_cast<int>(flags::number(flag, value, 1, 10000));
    } else if (flag == "--seed") {
      settings.seed = static_cast<unsigned>(flags::number(flag, value, 1, 1'000'000'000));
    } else {
      return false;
    }
    return true;
  });
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] {
    const Settings settings =
        flags::or_refuse("life", [] { return settings_of(revenant::args()); });
    World world(settings);
    revenant::on_restart([&world] { draw(world, true); });
    for (bool anew = true;; anew = false) {
      draw(world, anew && ::isatty(STDOUT_FILENO) != 0);
      revenant::this_thread::sleep_for(1s / settings.speed);
      world.step();
    }
  });
}
