// Pagewalk finds what is wrong with a page, whatever it is, and nothing where all is well. That it
// goes its way on after a kill is the campaign's to judge.
#include <gmock/gmock.h>

#include <csignal>
#include <cstdio>

#include "tests/apps/app_run.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/little_memory.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PagewalkTest : public ::testing::Test {
 protected:
  std::vector<std::string> command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = {PAGEWALK, "--store", store_, "--snapshot-every", "5ms"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path store_ = directory_ / "pagewalk.rev";
};

// 1100 pages: more than a block of versions, and not a whole number of them.
TEST_F(PagewalkTest, WithAQuarterOfItsMemoryItEndsWithATable) {
  const auto walk = command(
      {"--set", "4400K", "--memory", testing::kLittleMemory, "--threads", "3", "--seconds", "1"});
  const crash::Outcome outcome = crash::run_to_end(walk);
  ASSERT_EQ(outcome.exit_code, 0) << ::testing::PrintToString(outcome.errors);
  ASSERT_THAT(outcome.output, Contains(HasSubstr(" pages visited, ")));
  std::vector<std::string> rows = {"faults since this start", "  zero: new memory"};
  if (testing::kLittleMemory != std::string("0")) rows.emplace_back("pages trimmed");
  for (const std::string& row : rows) {
    EXPECT_THAT(outcome.output, Contains(::testing::ContainsRegex(row + " +[1-9]")));
  }
  EXPECT_EQ(outcome.output.back(), "all 1100 pages checked: every one holds what was written last");
  // No progress but on a terminal: the tracker's line is all.
  EXPECT_THAT(outcome.errors, ::testing::SizeIs(1));
}

TEST_F(PagewalkTest, GoesOnAfterSigtermWhereItWas) {
  const auto walk = command({"--set", "1M", "--seconds", "0", "--lap", "8"});
  AppRun first(walk);
  EXPECT_NE(first.line_with("walker 1 lap 20"), "");
  first.send(SIGTERM);
  EXPECT_EQ(first.exit_code(), 0);
  unsigned resumed = 0;
  const std::string lap = AppRun(walk).line_with("walker 1");
  ASSERT_EQ(std::sscanf(lap.c_str(), "walker 1 lap %u", &resumed), 1);
  EXPECT_GT(resumed, 20U);
}

struct Damaged {
  const char* kind;
  const char* sentence;
};

class PagewalkDamage : public PagewalkTest, public ::testing::WithParamInterface<Damaged> {};

TEST_P(PagewalkDamage, IsFound) {
  const crash::Outcome outcome =
      crash::run_to_end(command({"--set", "64K", "--damage", GetParam().kind}));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, ::testing::IsEmpty());
  EXPECT_THAT(outcome.errors.back(),
              AllOf(StartsWith("pagewalk: the "), HasSubstr(GetParam().sentence)));
}

INSTANTIATE_TEST_SUITE_P(Each, PagewalkDamage,
                         ::testing::Values(Damaged{"lost", " lost a write: it holds version "},
                                           Damaged{"moved", " holds the page of 0x56"},
                                           Damaged{"torn", " is torn: word 256 is not that of "},
                                           Damaged{"miscounted", "versions of pages 0 to 15, "}),
                         [](const auto& info) { return std::string(info.param.kind); });

TEST_F(PagewalkTest, RefusesWrongArgumentsWithoutAStoreOfThem) {
  const std::vector<std::vector<std::string>> mistakes = {
      {"--set", "4K"}, {"--set", "64X"},        {"--write-share", "1.5"},
      {"--threads"},   {"--damage", "my mind"}, {"--walk", "1"}};
  for (const std::vector<std::string>& mistake : mistakes) {
    const crash::Outcome outcome = crash::run_to_end(command(mistake));
    EXPECT_EQ(outcome.exit_code, 2) << mistake[0];
    EXPECT_THAT(outcome.errors.back(), AllOf(StartsWith("pagewalk: "), HasSubstr(mistake[0])));
  }
  AppRun pagewalk(command({"--set", "64K", "--lap", "1"}));
  EXPECT_THAT(pagewalk.line(), StartsWith("walker "));
}

}  // namespace
}  // namespace revenant
