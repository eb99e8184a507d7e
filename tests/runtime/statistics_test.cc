// The figures that a program is told of its own memory.
#include "revenant/statistics.h"

#include "tests/runtime/program_test.h"

namespace revenant {
namespace {

constexpr std::size_t kPages = 1000;
constexpr std::size_t kPageBytes = 4096;

class StatisticsTest : public testing::ProgramTest {};

TEST_F(StatisticsTest, NewMemoryIsZerosAndAnEarlierLifesIsRead) {
  const testing::Ended ended = second_life([] {
    const memory_statistics before = memory_statistics_now();
    std::vector<char> touched(kPages * kPageBytes, 'x');
    const memory_statistics first = memory_statistics_now();
    if (first.zero_pages < before.zero_pages + kPages) return 10;
    if (first.faults < first.zero_faults || first.zero_faults <= before.zero_faults) return 11;
    if (first.stored_faults != 0) return 12;
    testing::die_here();
    const memory_statistics resumed = memory_statistics_now();
    for (std::size_t at = 0; at < touched.size(); at += kPageBytes) {
      if (touched[at] != 'x') return 13;
    }
    const memory_statistics second = memory_statistics_now();
    if (second.stored_pages < resumed.stored_pages + kPages) return 14;
    if (second.hard_faults() <= resumed.hard_faults()) return 15;
    return second.budget_bytes == 0 && second.rescued_faults() == 0 ? 0 : 16;
  });
  expect_well(ended);
}

TEST(Statistics, ThereAreNoneWithoutAProgram) {
  const memory_statistics none = memory_statistics_now();
  EXPECT_EQ(none.faults + none.zero_pages + none.stored_pages, 0u);
}

}  // namespace
}  // namespace revenant
