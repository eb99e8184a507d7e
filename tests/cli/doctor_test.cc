// The doctor on this host, and on hosts that refuse something.
#include "cli/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/crash/run_to_end.h"
#include "tests/support/forked.h"
#include "tests/support/own_mounts_linux.h"
#include "tests/support/temporary_directory.h"

namespace revenant::cli {
namespace {

using crash::Outcome;
using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

class DoctorTest : public ::testing::Test {
 protected:
  // `before`: words that make the host a poorer one.
  Outcome run(std::vector<std::string> before, const std::vector<std::string>& more = {}) const {
    before.insert(before.end(), {REVENANT_TOOL, "doctor", "-s", directory_ / "new.rev"});
    before.insert(before.end(), more.begin(), more.end());
    return crash::run_to_end(before);
  }
  // Words that lower a limit, in a shell's terms.
  static std::vector<std::string> limited(const std::string& limit) {
    return {"/bin/sh", "-c", "ulimit " + limit + "; exec \"$@\"", "sh"};
  }
  static json feature(const Outcome& outcome, const std::string& name) {
    for (const std::string& line : outcome.output) {
      const json parsed = json::parse(line);
      if (parsed.value("feature", "") == name) return parsed;
    }
    return {};
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(DoctorTest, ThisHostRunsPrograms) {
  const Outcome outcome = run({}, {"--json"});
  EXPECT_EQ(outcome.exit_code, 0) << ::testing::PrintToString(outcome.output);
  for (const char* name :
       {"/proc", "address space", "tracker async", "tracker sync", "tracker mprotect",
        "write tracking", "stack", "threads", "directory", "file locks"}) {
    EXPECT_EQ(feature(outcome, name)["works"], true) << name;
  }
  EXPECT_EQ(json::parse(outcome.output.back())["programs_run"], true);
  EXPECT_TRUE(
      std::filesystem::is_empty(std::filesystem::path(directory_ / "new.rev").parent_path()))
      << "what it tried with is gone";
}

TEST_F(DoctorTest, WithoutUserfaultfdItNamesTheCostAndTheWayOut) {
  const Outcome outcome = run({WITHOUT_USERFAULTFD}, {"--json"});
  EXPECT_EQ(outcome.exit_code, 0);
  const json sync = feature(outcome, "tracker sync");
  EXPECT_EQ(sync["works"], false);
  EXPECT_THAT(sync["detail"], HasSubstr("userfaultfd is refused (Operation not permitted)"));
  EXPECT_THAT(sync["mend"], HasSubstr("seccomp"));
  EXPECT_EQ(feature(outcome, "write tracking")["detail"], "programs take tracker mprotect");
}

// A sanitizer's own shadow does not fit below such a limit.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(DoctorTest, WithoutRoomForTheSpaceNoProgramRuns) {
  for (const char* limit : {"-v 1000000", "-v 600000000"}) {  // the latter for the space alone
    const Outcome outcome = run(limited(limit));
    EXPECT_EQ(outcome.exit_code, 13) << limit;
    EXPECT_THAT(outcome.output, Contains(HasSubstr("missing  address space")));
    EXPECT_THAT(outcome.output, Contains(HasSubstr("mend: ulimit -v unlimited")));
    EXPECT_THAT(outcome.output, Contains(HasSubstr("programs do not run here")));
  }
}

TEST_F(DoctorTest, ASmallStackIsFound) {
  const Outcome outcome = run(limited("-s 31"));
  EXPECT_EQ(outcome.exit_code, 13);
  EXPECT_THAT(outcome.output, Contains(HasSubstr("missing  stack             at most 31.0 KiB")));
}
#endif

TEST_F(DoctorTest, AFileSizeLimitMattersWhereTheSpaceIsAFile) {
  const Outcome lacking = run(limited("-f 1000"));
  EXPECT_EQ(lacking.exit_code, 0);
  EXPECT_THAT(lacking.output, Contains(HasSubstr("lacking  file sizes")));
  std::vector<std::string> poorer = limited("-f 1000");
  poorer.push_back(WITHOUT_USERFAULTFD);
  const Outcome missing = run(poorer);
  EXPECT_EQ(missing.exit_code, 13);
  EXPECT_THAT(missing.output, Contains(HasSubstr("missing  file sizes")));
}

TEST_F(DoctorTest, AsFewFilesAsNoProgramStartsWithAreFound) {
  const Outcome outcome = run(limited("-n 14"));
  EXPECT_EQ(outcome.exit_code, 13);
  EXPECT_THAT(outcome.output, Contains(HasSubstr("missing  open files        at most 14")));
  EXPECT_EQ(run(limited("-n 100")).exit_code, 0);
}

TEST_F(DoctorTest, AFileSystemInMemoryIsFound) {
  const bool mounts = testing::own_mounts_allowed();
  const std::filesystem::path memory = mounts ? directory_ / "memory" : "/dev/shm";
  // A root entered by chroot may have neither mounts of its own nor this.
  struct statfs there {};
  if (!mounts && (::statfs(memory.c_str(), &there) != 0 || there.f_type != TMPFS_MAGIC)) return;
  ::testing::internal::CaptureStdout();
  const int code = testing::in_child([&] {
    if (mounts) {
      testing::enter_own_mounts();
      testing::mount_memory(memory);
    }
    const int exit_code = examine_host({.store = memory / "x.rev"});
    std::fflush(stdout);
    return exit_code;
  });
  EXPECT_EQ(code, 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("lacking  durable writes"));
}

TEST_F(DoctorTest, ADirectoryThatCannotBeWrittenIsFound) {
  const Outcome outcome = crash::run_to_end({REVENANT_TOOL, "doctor", "-s", "/proc/self/x.rev"});
  EXPECT_EQ(outcome.exit_code, 13);
  EXPECT_THAT(outcome.output, Contains(HasSubstr("missing  directory")));
}

TEST_F(DoctorTest, AWorkingDirectoryThatCannotBeSearchedIsFound) {
  const auto here = std::filesystem::path(directory_ / "closed");
  std::filesystem::create_directory(here);
  ::testing::internal::CaptureStdout();
  const int code = testing::in_child([&here] {
    ::alarm(20);  // it once looked for a directory above "." for ever
    if (::chdir(here.c_str()) != 0 || ::chmod(".", 0) != 0) return 1;
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 1;
    const int exit_code = examine_host({.store = "a/new.rev"});
    std::fflush(stdout);
    return exit_code;
  });
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, 13) << said;
  EXPECT_THAT(said, HasSubstr("missing  directory         .: Permission denied"));
}

}  // namespace
}  // namespace revenant::cli
