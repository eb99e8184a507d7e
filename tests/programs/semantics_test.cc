// Each case of the public surface's meaning, in a program of its own, at a cadence that puts
// snapshots everywhere.
#include <gmock/gmock.h>

#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

class SemanticsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SemanticsTest, Holds) {
  const testing::TemporaryDirectory directory;
  const crash::Outcome outcome = crash::run_to_end(
      {SEMANTICS, "--store", directory / "s.rev", "--snapshot-every", "1ms", GetParam()});
  EXPECT_EQ(outcome.exit_code, 0) << ::testing::PrintToString(outcome.errors);
  EXPECT_THAT(outcome.output, ::testing::ElementsAre(std::string(GetParam()) + " holds"));
}

INSTANTIATE_TEST_SUITE_P(All, SemanticsTest,
                         ::testing::Values("threads", "jthread", "mutex", "condition", "channel",
                                           "fairness", "rendezvous", "try_meeting", "exceptions",
                                           "roots", "revisions", "after_commit", "sleep",
                                           "volatile"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace revenant
