// Each mistake gets its sentence, its thread and its exit code, and the store stays as committed.
#include <gmock/gmock.h>

#include <string>

#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class MistakesTest : public ::testing::Test {
 protected:
  crash::Outcome make(const std::string& mistake, std::vector<std::string> flags = {}) const {
    std::vector<std::string> command{MISTAKES, "--store", directory_ / "m.rev"};
    command.insert(command.end(), flags.begin(), flags.end());
    command.push_back(mistake);
    return crash::run_to_end(command);
  }
  static std::string text(const crash::Outcome& outcome) {
    std::string all;
    for (const std::string& line : outcome.errors) all += line + "\n";
    return all;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(MistakesTest, AnOverflownStackIsNamed) {
  const crash::Outcome outcome = make("overflow");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(text(outcome), HasSubstr("digger"));
  EXPECT_THAT(text(outcome), HasSubstr("stack"));
  EXPECT_THAT(text(outcome), HasSubstr("endless"));
}

TEST_F(MistakesTest, AnEscapedExceptionIsNamedWithItsTypeAndText) {
  const crash::Outcome outcome = make("uncaught");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(text(outcome), HasSubstr("thrower"));
  EXPECT_THAT(text(outcome), HasSubstr("std::out_of_range"));
  EXPECT_THAT(text(outcome), HasSubstr("too far out"));
}

TEST_F(MistakesTest, TouchingFreedMemoryIsNamed) {
  const crash::Outcome outcome = make("use_after_free");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(text(outcome), HasSubstr("given back"));
  EXPECT_THAT(text(outcome), HasSubstr("main"));
}

TEST_F(MistakesTest, DoubleAndForeignFreesAreNamed) {
  const crash::Outcome twice = make("double_free");
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_THAT(text(twice), HasSubstr("free"));
  const testing::TemporaryDirectory other;
  const crash::Outcome foreign =
      crash::run_to_end({MISTAKES, "--store", other / "m.rev", "foreign_free"});
  EXPECT_EQ(foreign.exit_code, 1);
  EXPECT_THAT(text(foreign), HasSubstr("inside"));
}

// TSan reports such an access by itself, and cannot on a green thread's stack.
#ifndef __SANITIZE_THREAD__
TEST_F(MistakesTest, ANullPointerIsNamed) {
  const crash::Outcome outcome = make("null_pointer");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(text(outcome), HasSubstr("main"));
}

#endif

TEST_F(MistakesTest, UnlockingWhatAnotherThreadHoldsIsNamed) {
  const crash::Outcome outcome = make("foreign_unlock");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(text(outcome), HasSubstr("'main' unlocks a mutex that it does not hold"));
}

TEST_F(MistakesTest, ExitFromAGreenThreadEndsTheProgram) {
  EXPECT_EQ(make("exit_code").exit_code, 42);
}

TEST_F(MistakesTest, ACaptureOfTheCallersStackIsRefused) {
  const crash::Outcome outcome = make("capture");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(text(outcome), HasSubstr("stack"));
}

TEST_F(MistakesTest, AVolatilePointerInAnObjectIsNamedWithItsTypeAndRoot) {
  const crash::Outcome outcome = make("volatile_object", {"--check-volatile"});
  EXPECT_EQ(outcome.exit_code, 0) << text(outcome);
  EXPECT_THAT(outcome.errors,
              Contains(AllOf(HasSubstr("check-volatile: snapshot"), HasSubstr("the Cache at 0x"),
                             HasSubstr("(root 'caches/first'), 8 bytes from its beginning"),
                             HasSubstr("which a restart does not bring back"))));
}

TEST_F(MistakesTest, AVolatilePointerInAFrameIsNamedWithItsThreadAndFunction) {
  const crash::Outcome outcome =
      make("volatile_frame", {"--check-volatile", "--snapshot-every", "5ms"});
  EXPECT_EQ(outcome.exit_code, 0) << text(outcome);
  EXPECT_THAT(outcome.errors, Contains(AllOf(HasSubstr("check-volatile: snapshot"),
                                             HasSubstr("'reader', in the frame of"),
                                             HasSubstr("keep_across_a_sleep"))));
}

TEST_F(MistakesTest, AVolatilePointerBehindManyInFreedMemoryIsNamed) {
  const crash::Outcome outcome = make("volatile_among_freed", {"--check-volatile"});
  EXPECT_EQ(outcome.exit_code, 0) << text(outcome);
  EXPECT_THAT(text(outcome), HasSubstr("1599992 bytes from its beginning"));
}

TEST_F(MistakesTest, APointerIntoAMappedFileIsNamed) {
  const std::string file = directory_ / "data.sorted";
  const crash::Outcome outcome = crash::run_to_end(
      {MISTAKES, "--store", directory_ / "m.rev", "--check-volatile", "volatile_file", file});
  EXPECT_EQ(outcome.exit_code, 0) << text(outcome);
  EXPECT_THAT(outcome.errors, Contains(AllOf(HasSubstr("(root 'caches/first')"),
                                             HasSubstr("in the mapped file " + file + ","))));
}

TEST_F(MistakesTest, WhereNothingIsVolatileNothingIsNamed) {
  for (const char* tracker : {"async", "mprotect"}) {
    const testing::TemporaryDirectory directory;
    const crash::Outcome outcome =
        crash::run_to_end({MISTAKES, "--store", directory / "m.rev", "--check-volatile",
                           "--snapshot-every", "5ms", "--tracker", tracker, "nothing_volatile"});
    EXPECT_EQ(outcome.exit_code, 0) << text(outcome);
    EXPECT_THAT(outcome.errors, ::testing::Not(Contains(HasSubstr("check-volatile")))) << tracker;
  }
}

TEST_F(MistakesTest, WrongFlagsAreRefused) {
  EXPECT_EQ(make("exit_code", {"--snapshot-every", "soon"}).exit_code, 2);
  EXPECT_EQ(make("exit_code", {"--workers", "3"}).exit_code, 2);
  EXPECT_EQ(make("exit_code", {"--tracker", "magic"}).exit_code, 2);
}

}  // namespace
}  // namespace revenant
