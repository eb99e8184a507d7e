// Walks: to a random page, and on from there, page by page.
//
// K1  Where it goes and what it writes follows from its seed alone: killed and started again, it
//     walks on as if nothing had happened. The digest is of all that it has decided.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <stop_token>

#include "page_set.h"

namespace pagewalk {

struct Habits {
  double write_share = 0.5;
  std::uint64_t seed = 1;
  // A line is printed after so many walks; never if 0.
  std::uint64_t lap = 0;
};

class Walker {
 public:
  Walker(PageSet& pages, std::size_t number, const Habits& habits);

  // Until it is asked to stop; ends the program where a page is wrong.
  void walk_on(const std::stop_token& token);

  [[nodiscard]] std::uint64_t visits() const { return visits_; }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }

 private:
  void walk();
  void report_lap();
  // Of few pages and of many equally often.
  std::size_t draw_length();

  PageSet& pages_;
  const std::size_t number_;
  const std::uint64_t written_below_;
  const std::uint64_t walks_a_lap_;
  std::mt19937_64 random_;
  std::uint64_t digest_ = 0;
  std::uint64_t walks_ = 0;
  // Read by others while it walks.
  std::atomic<std::uint64_t> visits_ = 0;
  std::atomic<std::uint64_t> writes_ = 0;
};

// Says what is wrong and ends the program with exit code 3; the store stays as last committed.
[[noreturn]] void end_with(const Wrong& wrong);

}  // namespace pagewalk
