// The counter goes on from where it was, however it ended.
#include <gmock/gmock.h>

#include "tests/apps/app_run.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::Contains;
using ::testing::SizeIs;

class CounterTest : public ::testing::Test {
 protected:
  AppRun start() const {
    return AppRun({COUNTER, "--store", directory_ / "counter.rev", "--snapshot-every", "10ms"});
  }

  const testing::TemporaryDirectory directory_;
};

// A line may come twice: the signal may find the thread in the call that printed it.
TEST_F(CounterTest, AfterSigtermOrSigintItGoesOn) {
  AppRun first = start();
  EXPECT_EQ(first.line(), "0 of 1");
  EXPECT_EQ(first.line(), "1 of 2");
  first.send(SIGTERM);
  EXPECT_EQ(first.exit_code(), 0);
  AppRun second = start();
  EXPECT_EQ(second.line_with("2"), "2 of 3");
  second.send(SIGINT);
  EXPECT_EQ(second.exit_code(), 0);
  EXPECT_THAT(start().line(), ::testing::AnyOf("2 of 3", "3 of 4"));
}

TEST_F(CounterTest, AfterSigkillItGoesOnFromItsLastSnapshot) {
  AppRun first = start();
  EXPECT_EQ(first.line(), "0 of 1");
  EXPECT_EQ(first.line(), "1 of 2");
  first.kill();
  const std::string resumed = start().line();
  EXPECT_THAT(resumed, ::testing::AnyOf("0 of 1", "1 of 2", "2 of 3"));
}

TEST_F(CounterTest, WithoutUserfaultfdItGoesOnAndSaysHow) {
  const std::vector<std::string> command{WITHOUT_USERFAULTFD, COUNTER,
                                         "--store",           directory_ / "counter.rev",
                                         "--snapshot-every",  "10ms"};
  AppRun first(command);
  EXPECT_EQ(first.line(), "0 of 1");
  EXPECT_EQ(first.line(), "1 of 2");
  first.kill();
  AppRun second(command);
  EXPECT_THAT(second.line(), ::testing::AnyOf("0 of 1", "1 of 2", "2 of 3"));
  EXPECT_THAT(
      second.errors(),
      Contains(::testing::HasSubstr(
          "tracker mprotect: tried, and it works here; tracker async: userfaultfd is refused")));
}

TEST_F(CounterTest, ASecondStartIsRefusedAndDisturbsNothing) {
  AppRun first = start();
  EXPECT_EQ(first.line(), "0 of 1");
  AppRun second = start();
  EXPECT_EQ(second.exit_code(), 11);
  EXPECT_EQ(second.line(), "");
  EXPECT_THAT(second.errors(), SizeIs(1));
  EXPECT_EQ(first.line(), "1 of 2");
}

TEST_F(CounterTest, AnotherProgramsStoreIsRefused) {
  AppRun counter = start();
  EXPECT_EQ(counter.line(), "0 of 1");
  counter.send(SIGTERM);
  EXPECT_EQ(counter.exit_code(), 0);
  AppRun ledger({LEDGER, "--store", directory_ / "counter.rev"});
  EXPECT_EQ(ledger.exit_code(), 12);
  EXPECT_EQ(ledger.line(), "");
  ASSERT_FALSE(ledger.errors().empty());
  EXPECT_THAT(ledger.errors().back(), ::testing::HasSubstr("counter"));
}

}  // namespace
}  // namespace revenant
