// What is under way at a kill is under way after the restart.
#include <gmock/gmock.h>

#include "tests/crash/run_to_end.h"
#include "tests/programs/tracked_case.h"
#include "tests/support/little_memory.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::PrintToString;

// TSan keeps a table of jump buffers that a new process does not have.
#ifdef __SANITIZE_THREAD__
#define REVENANT_JUMP
#else
#define REVENANT_JUMP "jump",
#endif

void goes_on_after_sigkill(const TrackedCase& story, const std::string& memory) {
  const auto [name, tracker] = story;
  const testing::TemporaryDirectory directory;
  const std::vector<std::string> command{STORIES,
                                         "--store",
                                         directory / "s.rev",
                                         "--snapshot-every",
                                         "5ms",
                                         "--tracker",
                                         tracker,
                                         "--memory",
                                         memory,
                                         name};
  const crash::Outcome first = crash::run_to_end(command);
  ASSERT_EQ(first.exit_code, -1) << PrintToString(first.errors) << PrintToString(first.output);
  const crash::Outcome second = crash::run_to_end(command);
  EXPECT_EQ(second.exit_code, 7) << PrintToString(second.errors);
  EXPECT_THAT(second.output, Contains(std::string(name) + " holds in generation 2"));
  // It has finished: later starts say so, and return the same code.
  const crash::Outcome third = crash::run_to_end(command);
  EXPECT_EQ(third.exit_code, 7);
  EXPECT_TRUE(third.output.empty());
  EXPECT_THAT(third.errors, Contains(HasSubstr("finished with exit code 7")));
}

#define REVENANT_STORIES                                                                      \
  "objects", "globals", "exception", REVENANT_JUMP "recursion", "sleepers", "locks", "hooks", \
      "descriptors", "error_number", "roots", "held_functions", "held_output", "answered_calls"

class StoriesTest : public ::testing::TestWithParam<TrackedCase> {};

TEST_P(StoriesTest, GoesOnAfterSigkill) { goes_on_after_sigkill(GetParam(), "0"); }

INSTANTIATE_TEST_SUITE_P(All, StoriesTest,
                         ::testing::Combine(::testing::Values(REVENANT_STORIES, "many"),
                                            each_tracker),
                         name_of_case);

// Stacks, heap and what the runtime itself keeps there leave memory all the time.
class PagedStoriesTest : public ::testing::TestWithParam<TrackedCase> {};

TEST_P(PagedStoriesTest, GoesOnAfterSigkillInAMegabyte) {
  goes_on_after_sigkill(GetParam(), testing::kLittleMemory);
}

INSTANTIATE_TEST_SUITE_P(All, PagedStoriesTest,
                         ::testing::Combine(::testing::Values(REVENANT_STORIES), each_tracker),
                         name_of_case);

// What is printed must not end up in a file of the store's that was opened in stdout's place.
TEST(StoriesTest, ClosedStandardDescriptorsAreNotTheStores) {
  for (const char* closed : {"<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"}) {
    const testing::TemporaryDirectory directory;
    const std::vector<std::string> command{STORIES, "--store", directory / "s.rev", "chatter"};
    std::string line = "exec";
    for (const std::string& word : command) line += " " + word;
    EXPECT_EQ(crash::run_to_end({"/bin/sh", "-c", line + " " + closed}).exit_code, -1) << closed;
    const crash::Outcome second = crash::run_to_end(command);
    EXPECT_EQ(second.exit_code, 7) << closed << PrintToString(second.errors);
  }
}

}  // namespace
}  // namespace revenant
