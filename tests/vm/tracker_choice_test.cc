// Which tracker is taken: the first that works here, where some of what they need is refused.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/support/refused_call.h"
#include "tests/vm/memory_test.h"

namespace revenant::vm {
namespace {

constexpr unsigned kNoExecSeal = 8;  // MFD_NOEXEC_SEAL, which older headers lack
constexpr std::uint64_t kWordsPerPage = base::kPageSize / sizeof(std::uint64_t);
alignas(base::kPageSize) std::uint64_t globals[8 * kWordsPerPage] = {7};

class TrackerChoiceTest : public ::testing::Test {
 protected:
  // The sentence of an open with `choice`; or why it could not be.
  std::string sentence(TrackerChoice choice) {
    const base::Status opened = memory_.open({.tracker = choice}, source_);
    return opened.ok() ? memory_.tracker_sentence() : opened.error().message;
  }
  void expect_in_child(TrackerChoice choice, const std::string& start, const std::string& rest) {
    const std::string said = sentence(choice);
    if (said.find(start) == 0 && said.find(rest) != std::string::npos) ::_exit(0);
    (void)!::write(STDERR_FILENO, said.data(), said.size());
    ::_exit(1);
  }

  StampedSource source_;
  MemoryManager memory_;
};

TEST_F(TrackerChoiceTest, TheCheapestThatWorksIsTaken) {
  EXPECT_EQ(sentence(TrackerChoice::kAuto).find("tracker async: tried, and it works here"), 0u);
}

TEST_F(TrackerChoiceTest, WithoutUserfaultfdItIsMprotectAndSaysWhy) {
  EXPECT_EXIT(
      {
        testing::refuse_call(SYS_userfaultfd, EPERM);
        expect_in_child(TrackerChoice::kAuto, "tracker mprotect: tried, and it works here",
                        "userfaultfd is refused (Operation not permitted): in a container, allow "
                        "it in the seccomp profile");
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(TrackerChoiceTest, WithoutAsynchronousProtectionItIsSync) {
  EXPECT_EXIT(
      {
        testing::refuse_ioctl(0xc0606610, ENOTTY);  // PAGEMAP_SCAN
        expect_in_child(TrackerChoice::kAuto, "tracker sync: tried, and it works here",
                        "PAGEMAP_SCAN failed");
      },
      ::testing::ExitedWithCode(0), "");
}

// Who may not have the kernel's own faults handled may have the others, and needs no more.
TEST_F(TrackerChoiceTest, WithoutPrivilegeItIsTheUnprivilegedForm) {
  EXPECT_EXIT(
      {
        testing::refuse_argument(SYS_userfaultfd, 0, O_CLOEXEC | O_NONBLOCK, EPERM);
        expect_in_child(TrackerChoice::kAuto, "tracker async: tried, and it works here",
                        "(unprivileged userfaultfd)");
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(TrackerChoiceTest, ARefusedTrackerThatWasAskedForIsNoOther) {
  EXPECT_EXIT(
      {
        testing::refuse_call(SYS_userfaultfd, EPERM);
        expect_in_child(TrackerChoice::kSync, "writes to memory cannot be tracked on this host",
                        "tracker sync: userfaultfd is refused");
      },
      ::testing::ExitedWithCode(0), "");
}

// Some hosts refuse memory files that could be executed; older ones do not know the flag for it.
TEST_F(TrackerChoiceTest, AMemoryFileIsHadWithTheFlagAndWithout) {
  for (const auto& [flags, error] :
       {std::pair{MFD_CLOEXEC, EACCES}, std::pair{MFD_CLOEXEC | kNoExecSeal, EINVAL}}) {
    EXPECT_EXIT(
        {
          testing::refuse_argument(SYS_memfd_create, 1, flags, error);
          expect_in_child(TrackerChoice::kMprotect, "tracker mprotect, as asked", "");
        },
        ::testing::ExitedWithCode(0), "");
  }
}

TEST_F(TrackerChoiceTest, AHostThatRefusesAllOfThemIsNamed) {
  EXPECT_EXIT(
      {
        testing::refuse_call(SYS_userfaultfd, ENOSYS);
        testing::refuse_call(SYS_memfd_create, EPERM);
        expect_in_child(TrackerChoice::kAuto, "writes to memory cannot be tracked on this host",
                        "tracker mprotect: a memory file is refused: Operation not permitted");
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(TrackerChoiceTest, NamesAreTheDocumentedOnes) {
  EXPECT_EQ(parse_tracker("mprotect").value(), TrackerChoice::kMprotect);
  EXPECT_EQ(parse_tracker("magic").error().code, base::ErrorCode::kUsage);
}

TEST(LowWindowTest, ChunksOfTheLowWindowCoolToo) {
  StampedSource source;
  MemoryManager memory;
  DirtyList found;
  ASSERT_TRUE(found.open().ok());
  const base::PageRun low{base::PageNumber::of(globals), base::PageCount::holding(sizeof globals)};
  ASSERT_TRUE(memory.open({.low_window = low, .tracker = TrackerChoice::kAsync}, source).ok());
  const AdoptedThread adopted = std::move(memory.adopt_thread()).value();
  for (std::uint32_t i = 0; i <= AsyncTracker::kCoolAfter; ++i) {
    ASSERT_TRUE(memory.tracker().harvest({}, found).ok());
  }
  EXPECT_GE(memory.tracker().cool(10).value(), 1u);
  found.clear();
  globals[7] = 8;
  EXPECT_EQ(globals[7], 8u);
  ASSERT_TRUE(memory.tracker().harvest({}, found).ok());
  EXPECT_EQ(found.pages().value, 1u);
}

}  // namespace
}  // namespace revenant::vm
