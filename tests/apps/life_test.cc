// Life as a person sees it: on a terminal, after a restart, and with wrong arguments. That every
// generation follows from the one before is the campaign's to judge.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/apps/app_run.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/own_mounts_linux.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LifeTest : public ::testing::Test {
 protected:
  std::vector<std::string> command(const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> all = {LIFE, "--store", directory_ / "life.rev", "--snapshot-every",
                                    "5ms"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  // A root without a mounted devpts makes none, and one entered by chroot can mount none.
  static bool makes_terminals() {
    if (std::filesystem::exists("/dev/pts/ptmx")) return true;
    if (!testing::own_mounts_allowed()) return false;
    testing::enter_own_mounts();
    testing::mount_terminals();
    return true;
  }
  // What life draws on a terminal of its own until it has drawn `words`; then it is killed.
  std::string drawn_until(const std::string& words) const {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_EQ(::grantpt(terminal) + ::unlockpt(terminal), 0);
    const std::string other_end = ::ptsname(terminal);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open(other_end.c_str(), O_RDWR | O_NOCTTY), STDOUT_FILENO);
      const std::string store = directory_ / "life.rev";
      ::execl(LIFE, LIFE, "--store", store.c_str(), "--snapshot-every", "5ms", "--size", "8x4",
              nullptr);
      ::_exit(127);
    }
    std::string drawn;
    char part[4096];
    while (drawn.find(words) == std::string::npos) {
      const ssize_t got = ::read(terminal, part, sizeof part);
      if (got <= 0) break;
      drawn.append(part, static_cast<std::size_t>(got));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(terminal);
    return drawn;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(LifeTest, TakesItsSizeFromItsArguments) {
  AppRun life(command({"--size", "5x3", "--speed", "1000", "--seed", "7"}));
  const std::string line = life.line();
  EXPECT_THAT(line, ::testing::MatchesRegex("generation 0: [.#]{5}/[.#]{5}/[.#]{5}"));
  EXPECT_THAT(life.line(), StartsWith("generation 1: "));
}

TEST_F(LifeTest, DrawsAllOfItAfterARestart) {
  static const std::string kClear = "\x1b[2J\x1b[H";
  if (!makes_terminals()) return;
  const std::string first = drawn_until("generation 3");
  EXPECT_THAT(first, StartsWith(kClear));
  EXPECT_EQ(first.find(kClear, 1), std::string::npos) << "it clears the screen more than once";
  EXPECT_THAT(drawn_until("generation 6"), StartsWith(kClear));
}

TEST_F(LifeTest, RefusesWrongArgumentsWithoutAStoreOfThem) {
  const std::vector<std::vector<std::string>> mistakes = {
      {"--size", "0x3"}, {"--size", "7"}, {"--speed", "fast"}, {"--colour", "red"}};
  for (const std::vector<std::string>& mistake : mistakes) {
    const crash::Outcome outcome = crash::run_to_end(command(mistake));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.errors.back(), StartsWith("life: "));
  }
  AppRun life(command());
  EXPECT_THAT(life.line(), StartsWith("generation 0: "));
}

}  // namespace
}  // namespace revenant
