// Each case of the public surface's meaning, in a program of its own, at a cadence that puts
// snapshots everywhere.
#include <gmock/gmock.h>

#include "tests/crash/run_to_end.h"
#include "tests/programs/tracked_case.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

class SemanticsTest : public ::testing::TestWithParam<TrackedCase> {};

TEST_P(SemanticsTest, Holds) {
  const auto [name, tracker] = GetParam();
  const testing::TemporaryDirectory directory;
  const crash::Outcome outcome =
      crash::run_to_end({SEMANTICS, "--store", directory / "s.rev", "--snapshot-every", "1ms",
                         "--tracker", tracker, name});
  EXPECT_EQ(outcome.exit_code, 0) << ::testing::PrintToString(outcome.errors);
  EXPECT_THAT(outcome.output, ::testing::ElementsAre(std::string(name) + " holds"));
}

INSTANTIATE_TEST_SUITE_P(
    All, SemanticsTest,
    ::testing::Combine(::testing::Values("threads", "jthread", "mutex", "condition", "channel",
                                         "fairness", "rendezvous", "try_meeting", "exceptions",
                                         "roots", "revisions", "after_commit", "sleep", "volatile"),
                       each_tracker),
    name_of_case);

}  // namespace
}  // namespace revenant
