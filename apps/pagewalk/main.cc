// The pager's own workload: threads walk over pages that know what they ought to hold.
//
//   pagewalk [--set SIZE] [--threads N] [--write-share F] [--seconds S] [--seed N] [--lap N]
//            [--damage KIND] [flags of run()]
//
// Each thread picks a random page and walks on from there, a random number of pages; each page is
// checked, and a share of them written. A page that lost a write, that is another or that is torn
// ends the program with a sentence and exit code 3. After S seconds of running (0: never) every
// page is checked once more, and a table says what the pager did.
//
// --lap N has each thread print a line after every N walks: what it has decided so far, the same
// in every run. --damage lost, moved, torn or miscounted breaks a page, to see that it is found.
// Flags count when the store is made.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>

#include "../flags.h"
#include "figures.h"
#include "walker.h"

namespace pagewalk {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kTick = 100ms;
constexpr int kTicksAProgress = 5;

struct Settings {
  std::size_t pages = std::size_t{64 << 20} / kPageSize;
  std::size_t threads = 2;
  std::uint64_t seconds = 10;
  Habits habits;
  std::optional<Damage> damage;
};

std::size_t pages_of(std::string_view flag, std::string_view value) {
  const std::size_t pages = flags::size(flag, value) / kPageSize;
  if (pages < 2) flags::refuse(flag, "8K or more");
  return pages;
}

Damage damage_of(std::string_view flag, std::string_view value) {
  static constexpr std::string_view kNames[] = {"lost", "moved", "torn", "miscounted"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (value == kNames[i]) return static_cast<Damage>(i);
  }
  flags::refuse(flag, "lost, moved, torn or miscounted");
}

Settings settings_of(const std::vector<std::string_view>& args) {
  Settings settings;
  flags::for_each("pagewalk", args, [&](std::string_view flag, std::string_view value) {
    if (flag == "--set") {
      settings.pages = pages_of(flag, value);
    } else if (flag == "--threads") {
      settings.threads = flags::number(flag, value, 1, 10'000);
    } else if (flag == "--write-share") {
      settings.habits.write_share = flags::share(flag, value);
    } else if (flag == "--seconds") {
      settings.seconds = flags::number(flag, value, 0);
    } else if (flag == "--seed") {
      settings.habits.seed = flags::number(flag, value, 0);
    } else if (flag == "--lap") {
      settings.habits.lap = flags::number(flag, value, 0);
    } else if (flag == "--damage") {
      settings.damage = damage_of(flag, value);
    } else {
      return false;
    }
    return true;
  });
  return settings;
}

// How long it has been running. A tick that took longer than it may is one in which the program
// was dead.
class RunningTime {
 public:
  void tick() {
    revenant::this_thread::sleep_for(kTick);
    const auto now = std::chrono::steady_clock::now();
    passed_ += std::min<Seconds>(now - last_, 1s);
    last_ = now;
  }
  [[nodiscard]] double seconds() const { return passed_.count(); }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  Seconds passed_{};
};

struct Totals {
  std::uint64_t visits = 0;
  std::uint64_t writes = 0;

  explicit Totals(const std::deque<Walker>& walkers) {
    for (const Walker& walker : walkers) {
      visits += walker.visits();
      writes += walker.writes();
    }
  }
};

std::string summary(const Totals& totals, double seconds) {
  return fmt::format("{:.1f} s: {} pages visited, {} of them written, {:.0f} a second", seconds,
                     totals.visits, totals.writes, static_cast<double>(totals.visits) / seconds);
}

void show_progress(const std::string& line) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
}

double walk_for(const Settings& settings, PageSet& pages, std::deque<Walker>& walkers) {
  std::vector<revenant::thread> threads;
  for (std::size_t i = 0; i < settings.threads; ++i) {
    Walker& walker = walkers.emplace_back(pages, i, settings.habits);
    threads.emplace_back(revenant::thread::attributes{.name = "walker " + std::to_string(i)},
                         [&walker](const std::stop_token& token) { walker.walk_on(token); });
  }
  RunningTime time;
  for (int tick = 1; settings.seconds == 0 || time.seconds() < settings.seconds; ++tick) {
    time.tick();
    if (tick == 1 && settings.damage) pages.damage(*settings.damage);
    if (tick % kTicksAProgress == 0) show_progress(summary(Totals(walkers), time.seconds()));
  }
  for (revenant::thread& thread : threads) thread.request_stop();
  for (revenant::thread& thread : threads) thread.join();
  return time.seconds();
}

void walk() {
  const Settings settings =
      flags::or_refuse("pagewalk", [] { return settings_of(revenant::args()); });
  PageSet pages(settings.pages);
  std::deque<Walker> walkers;
  const double seconds = walk_for(settings, pages, walkers);
  const Totals totals(walkers);
  show_progress("");
  revenant::print("{}\n{}", summary(totals, seconds), table_of(revenant::memory_statistics_now()));
  try {
    pages.check_all(totals.writes);
  } catch (const Wrong& wrong) {
    end_with(wrong);
  }
  revenant::print("all {} pages checked: every one holds what was written last\n", pages.size());
}

}  // namespace
}  // namespace pagewalk

int main(int argc, char** argv) { return revenant::run(argc, argv, pagewalk::walk); }
