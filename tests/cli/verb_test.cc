// A verb whose process dies is a finding with a sentence, and no reason to die too.
#include "cli/verb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <new>
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

TEST(InChild, MemoryThatIsRefusedIsTheHosts) {
  std::string errors;
  EXPECT_EQ(run_quietly([]() -> int { throw std::bad_alloc(); }, errors), base::kUnsupportedHost);
  EXPECT_THAT(errors, HasSubstr("reading it needs memory that the host refuses: "));
}

// It would be a crash, which is no damage.
TEST(InChild, TooSmallAStackIsRefusedFirst) {
  EXPECT_EXIT(
      {
        rlimit small{};
        small.rlim_cur = 16 << 10;
        small.rlim_max = RLIM_INFINITY;
        ::setrlimit(RLIMIT_STACK, &small);
        ::_exit(in_child("/some/store", [] { return 0; }));
      },
      ::testing::ExitedWithCode(base::kUnsupportedHost),
      "the limit of its main thread's stack is 16 KiB; raise it to 32 KiB or more");
}

TEST(InChild, AnInterruptIsNoDamage) {
  std::string errors;
  EXPECT_EQ(run_quietly([] { return ::raise(SIGINT); }, errors), base::kInterrupted);
  EXPECT_EQ(errors, "");
}

}  // namespace
}  // namespace revenant::cli
