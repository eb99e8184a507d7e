// A verb whose process dies is a finding with a sentence, and no reason to die too.
#include "cli/verb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "cli/exit_code.h"

namespace revenant::cli {
namespace {

using ::testing::HasSubstr;

int run_quietly(const std::function<int()>& verb, std::string& errors) {
  ::testing::internal::CaptureStderr();
  const int code = in_child("/some/store", verb);
  errors = ::testing::internal::GetCapturedStderr();
  return code;
}

TEST(InChild, HandsTheExitCodeOn) {
  std::string errors;
  EXPECT_EQ(run_quietly([] { return 14; }, errors), 14);
  EXPECT_EQ(errors, "");
}

TEST(InChild, ACrashIsDamageAndASentence) {
  std::string errors;
  EXPECT_EQ(run_quietly([]() -> int { std::abort(); }, errors), base::kFindings);
  EXPECT_THAT(errors, HasSubstr("/some/store is damaged"));
  EXPECT_THAT(errors, HasSubstr("SIGABRT"));
}

TEST(InChild, ACrashWithoutAStoreIsTheHosts) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(in_child("", []() -> int { std::abort(); }), base::kUnsupportedHost);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("looking at this host ended with signal 6 (SIGABRT)"));
}

TEST(InChild, AnExceptionIsAFailureAndASentence) {
  std::string errors;
  EXPECT_EQ(run_quietly([]() -> int { throw std::runtime_error("no memory"); }, errors),
            base::kFailed);
  EXPECT_THAT(errors, HasSubstr("no memory"));
}

TEST(InChild, AnInterruptIsNoDamage) {
  std::string errors;
  EXPECT_EQ(run_quietly([] { return ::raise(SIGINT); }, errors), base::kInterrupted);
  EXPECT_EQ(errors, "");
}

}  // namespace
}  // namespace revenant::cli
