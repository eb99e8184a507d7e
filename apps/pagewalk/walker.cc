#include "walker.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "../mix.h"

namespace pagewalk {
namespace {

constexpr int kExitWrongStamp = 3;
// Walks of 1, 2, 4, ... pages and up to as many again.
constexpr std::uint64_t kLengths = 8;

// Draws below this one write: of 2^32.
std::uint64_t limit_of(double share) {
  return static_cast<std::uint64_t>(std::llround(std::ldexp(share, 32)));
}

}  // namespace

Walker::Walker(PageSet& pages, std::size_t number, const Habits& habits)
    : pages_(pages),
      number_(number),
      written_below_(limit_of(habits.write_share)),
      walks_a_lap_(habits.lap),
      random_(mix(habits.seed, number)) {}

void Walker::walk_on(const std::stop_token& token) {
  try {
    while (!token.stop_requested()) {
      walk();
      ++walks_;
      if (walks_a_lap_ != 0 && walks_ % walks_a_lap_ == 0) report_lap();
      revenant::this_thread::yield();
    }
  } catch (const Wrong& wrong) {
    end_with(wrong);
  }
}

void Walker::walk() {
  const std::size_t first = random_() % pages_.size();
  const std::size_t end = std::min(first + draw_length(), pages_.size());
  pages_.check_versions(first);
  for (std::size_t page = first; page < end; ++page) {
    const bool writes = random_() >> 32 < written_below_;
    digest_ = mix(digest_, 2 * page + (writes ? 1 : 0));  // K1
    if (writes) {
      pages_.write(page);
      ++writes_;
    } else {
      pages_.read(page);
    }
    ++visits_;
    revenant::safepoint();
  }
}

void Walker::report_lap() {
  revenant::print("walker {} lap {}: {:016x}\n", number_, walks_ / walks_a_lap_ - 1, digest_);
}

std::size_t Walker::draw_length() {
  const std::size_t half = std::size_t{1} << random_() % kLengths;
  return half + random_() % half;
}

void end_with(const Wrong& wrong) {
  std::fprintf(stderr,
               "pagewalk: %s; it ends here, and the store stays as last committed: keep it to find "
               "out why, and start anew with another --store\n",
               wrong.what());
  std::exit(kExitWrongStamp);
}

}  // namespace pagewalk
