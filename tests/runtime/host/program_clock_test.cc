// The program's time goes on over restarts, counts dead time and never goes back.
#include "runtime/host/program_clock.h"

#include <gtest/gtest.h>

namespace revenant::runtime {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

TEST(ProgramClockTest, AFirstProcessAgreesWithTheHost) {
  const ProgramClock clock;
  const std::int64_t before_ns = ProgramClock::host_monotonic_ns();
  const std::int64_t now_ns = clock.now_ns();
  EXPECT_GE(now_ns, before_ns);
  EXPECT_LE(now_ns, ProgramClock::host_monotonic_ns());
}

TEST(ProgramClockTest, TheTimeSpentDeadCounts) {
  ProgramClock clock;
  const std::int64_t saved_ns = 5000 * kSecondNs;
  clock.resume({.program_ns = saved_ns, .wall_ns = ProgramClock::wall_now_ns() - 60 * kSecondNs});
  EXPECT_GE(clock.now_ns(), saved_ns + 60 * kSecondNs);
  EXPECT_LT(clock.now_ns(), saved_ns + 120 * kSecondNs);
}

TEST(ProgramClockTest, AWallClockSetBackCountsAsNoTime) {
  ProgramClock clock;
  const std::int64_t saved_ns = 5000 * kSecondNs;
  clock.resume({.program_ns = saved_ns, .wall_ns = ProgramClock::wall_now_ns() + 3600 * kSecondNs});
  EXPECT_GE(clock.now_ns(), saved_ns);
  EXPECT_LT(clock.now_ns(), saved_ns + 60 * kSecondNs);
}

}  // namespace
}  // namespace revenant::runtime
