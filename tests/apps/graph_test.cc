// Graph's result against rules of its own making, and across kills.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/apps/app_run.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/little_memory.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::ElementsAreArray;
using ::testing::StartsWith;

class GraphTest : public ::testing::Test {
 protected:
  std::vector<std::string> command(const char* store,
                                   const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> all = {GRAPH, "--store", directory_ / store, "--snapshot-every",
                                    "5ms"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  const testing::TemporaryDirectory directory_;
};

// The first number after `words` in each line that has them.
std::vector<double> numbers_after(const std::string& words, const std::vector<std::string>& lines) {
  std::vector<double> numbers;
  for (const std::string& line : lines) {
    const std::size_t at = line.find(words);
    if (at != line.npos) numbers.push_back(std::stod(line.substr(at + words.size())));
  }
  return numbers;
}

TEST_F(GraphTest, ItsFiguresFitTogether) {
  const crash::Outcome outcome =
      crash::run_to_end(command("g.rev", {"--scale", "10", "--edge-factor", "8"}));
  ASSERT_EQ(outcome.exit_code, 0);
  const auto& lines = outcome.output;
  EXPECT_EQ(lines[15].substr(0, lines[15].find(':')), "8192 of 8192 edges drawn");
  // Each edge has two ends, but for loops.
  const double ends = numbers_after("1024 vertices, ", lines).at(0);
  EXPECT_LT(ends, 2 * 8192);
  EXPECT_GT(ends, 2 * 8192 * 0.95);
  double reached = 0;
  for (int level = 0; level < 20; ++level) {
    for (double n : numbers_after("level " + std::to_string(level) + ": ", lines)) reached += n;
  }
  EXPECT_GT(reached, 512);
  EXPECT_LE(reached, 1024);
  // What power iteration promises: each change is at most 0.85 times the one before.
  const auto changes = numbers_after(": changed by ", lines);
  ASSERT_EQ(changes.size(), 20U);
  for (std::size_t i = 1; i < changes.size(); ++i) EXPECT_LE(changes[i], 0.86 * changes[i - 1]);
  EXPECT_NEAR(numbers_after("sum of all ranks: ", lines).at(0), 1, 1e-9);
  EXPECT_THAT(lines.back(), StartsWith("digest "));
}

TEST_F(GraphTest, TheSameSeedGivesTheSameLinesAndAnotherOthers) {
  const std::vector<std::string> small = {"--scale", "8", "--seed", "5"};
  const auto lines = crash::run_to_end(command("a.rev", small)).output;
  EXPECT_THAT(crash::run_to_end(command("b.rev", small)).output, ElementsAreArray(lines));
  const auto others = crash::run_to_end(command("c.rev", {"--scale", "8", "--seed", "6"})).output;
  EXPECT_NE(others.back(), lines.back());
}

// In the middle of drawing, of searching and of ranking. Its peak is 4 MiB.
TEST_F(GraphTest, KilledInEachPhaseAndShortOfMemoryItHasTheSameResult) {
  const std::vector<std::string> middle = {"--scale", "14"};
  const auto lines = crash::run_to_end(command("unkilled.rev", middle)).output;
  ASSERT_FALSE(lines.empty());
  for (const std::string words :
       {"131072 of", "8192 of 16384 vertices", "level 2", "iteration 9"}) {
    AppRun killed(command("killed.rev", {"--scale", "14", "--memory", testing::kLittleMemory}));
    EXPECT_NE(killed.line_with(words), "");
    killed.kill();
  }
  const crash::Outcome last = crash::run_to_end(
      command("killed.rev", {"--scale", "14", "--memory", testing::kLittleMemory}));
  EXPECT_EQ(last.exit_code, 0);
  ASSERT_LE(last.output.size(), lines.size());
  EXPECT_TRUE(std::equal(last.output.rbegin(), last.output.rend(), lines.rbegin()));
}

TEST_F(GraphTest, RefusesWrongArguments) {
  for (const std::vector<std::string>& mistake : std::vector<std::vector<std::string>>{
           {"--scale", "3"}, {"--scale", "big"}, {"--iterations", "0"}, {"--colour", "red"}}) {
    const crash::Outcome outcome = crash::run_to_end(command("g.rev", mistake));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.errors.back(), StartsWith("graph: "));
  }
}

}  // namespace
}  // namespace revenant
