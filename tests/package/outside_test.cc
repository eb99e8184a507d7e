// Programs from outside the tree, killed at each step: they say what ordinary processes say.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/crash/run_to_end.h"
#include "tests/package/outside_programs.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::ElementsAre;
using ::testing::PrintToString;

// What a program says in all its lives together, and how many they are.
struct Lives {
  std::vector<std::string> output;
  int starts = 0;
};

Lives live(const std::string& name) {
  const testing::TemporaryDirectory directory;
  const std::vector<std::string> command{outside_program(name), "--store", directory / "s.rev"};
  Lives lives;
  for (;;) {
    const crash::Outcome outcome = crash::run_to_end(command);
    ++lives.starts;
    lives.output.insert(lives.output.end(), outcome.output.begin(), outcome.output.end());
    if (outcome.exit_code == 0) return lives;
    if (outcome.exit_code != -1 || lives.starts > 50) {
      ADD_FAILURE() << name << ": " << outcome.exit_code << PrintToString(outcome.errors);
      return lives;
    }
  }
}

// Debian's archives of qhull, jansson and SQLite; and every kind of C++ global.
class PersistedTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PersistedTest, SaysWhatAnOrdinaryProcessSays) {
  const std::string name = GetParam();
  const crash::Outcome ordinary = crash::run_to_end({outside_program(name + "_ordinary")});
  ASSERT_EQ(ordinary.exit_code, 0);
  ASSERT_GT(ordinary.output.size(), 4);
  const Lives lives = live(name);
  EXPECT_EQ(lives.output, ordinary.output);
  EXPECT_EQ(lives.starts, static_cast<int>(ordinary.output.size()) + 1);
}

INSTANTIATE_TEST_SUITE_P(All, PersistedTest, ::testing::Values("hull", "tree", "rows", "globals"),
                         [](const auto& info) { return std::string(info.param); });

// The same sources and the same library in the next program of the tree.
TEST(OutsideTest, GlobalsThatNobodyNamedBeginAnew) {
  const auto said = live("forgetful").output;
  ASSERT_FALSE(said.empty());
  for (const std::string& line : said) {
    EXPECT_THAT(line, ::testing::StartsWith("1: 4 put")) << line;
  }
}

TEST(OutsideTest, PkgConfigBuildsAProgram) {
  const testing::TemporaryDirectory directory;
  const crash::Outcome run =
      crash::run_to_end({outside_program("by_hand"), "--store", directory / "s.rev"});
  EXPECT_EQ(run.exit_code, 41);
  EXPECT_THAT(run.output, ElementsAre("41"));
}

}  // namespace
}  // namespace revenant
