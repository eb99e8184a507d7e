// `revenant status`, as people run it, beside real programs: running, stopped, killed, failing.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/lock.h"
#include "base/sanitizer.h"
#include "store/owner_lock.h"
#include "tests/runtime/program_test.h"
#include "tests/support/refused_call.h"

namespace revenant::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kPages = 1000;
constexpr std::size_t kPageBytes = 4096;

void wait_to_be_killed() {
  for (;;) this_thread::sleep_for(std::chrono::hours(1));
}

// Says "filled" once `kPages` new ones are, and in the next life "read" once they were seen again.
void fill_and_read() {
  std::vector<char> pages(kPages * kPageBytes, 'x');
  const std::uint64_t born = generation();
  sync();
  print("filled\n");
  while (generation() == born) this_thread::sleep_for(std::chrono::milliseconds(1));
  std::size_t seen = 0;
  for (std::size_t at = 0; at < pages.size(); at += kPageBytes) seen += pages[at] == 'x' ? 1 : 0;
  if (seen == kPages) print("read\n");
  wait_to_be_killed();
}

// 'Z' once the first thread of this process has ended.
char first_threads_state() {
  std::ifstream file("/proc/self/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  return stat[stat.rfind(") ") + 2];
}

class LiveStatistics : public ProgramTest {
 protected:
  // The tool's process, on this test's store. It may lose the right to find the tool by its path.
  std::function<int()> tool(
      std::vector<std::string> arguments, void (*prepare)() = [] {}) const {
    arguments.insert(arguments.begin(), {REVENANT_TOOL, "status", "-s", store().string()});
    return [arguments, prepare] {
      std::vector<char*> pointers;
      for (const std::string& each : arguments) pointers.push_back(const_cast<char*>(each.c_str()));
      pointers.push_back(nullptr);
      const int file = ::open(REVENANT_TOOL, O_RDONLY | O_CLOEXEC);
      prepare();
      ::fexecve(file, pointers.data(), environ);
      return 127;
    };
  }
  Ended status(std::vector<std::string> arguments = {}) const {
    return ChildProgram(tool(std::move(arguments))).wait();
  }
  json figures() const {
    const Ended ended = status({"--json"});
    EXPECT_EQ(ended.exit_code(), 0) << ended.out << ended.err;
    return json::parse(ended.out, nullptr, false);
  }
};

TEST_F(LiveStatistics, CountWhatTheProgramTouches) {
  {
    ChildProgram first(store(), fill_and_read);
    ASSERT_TRUE(first.says("filled"));
    const json now = figures();
    EXPECT_EQ(now["v"], 1);
    EXPECT_EQ(now["running"], true);
    EXPECT_EQ(now["generation"], 1);
    EXPECT_GE(now["memory"]["zero_pages"], kPages);
    EXPECT_GT(now["memory"]["zero_faults"], 0);
    EXPECT_EQ(now["memory"]["stored_faults"], 0);
    EXPECT_GE(now["resident_bytes"], kPages * kPageBytes);
    EXPECT_GE(now["snapshots"]["committed"], 1);
    EXPECT_GE(now["snapshots"]["revision"], 1);
    EXPECT_GE(now["snapshots"]["pause_us"]["p99"], now["snapshots"]["pause_us"]["p50"]);
    EXPECT_EQ(now["snapshots"]["error"], nullptr);
    EXPECT_EQ(now["locks"].size(), base::kLockRanks);
  }
  ChildProgram second(store(), fill_and_read);
  ASSERT_TRUE(second.says("read")) << second.wait().err;
  const json now = figures();
  EXPECT_EQ(now["generation"], 2);
  EXPECT_GE(now["memory"]["stored_pages"], kPages);
  EXPECT_GT(now["memory"]["stored_faults"], 0);
  EXPECT_GT(now["per_second"]["stored_faults"], 0);
}

#ifndef REVENANT_TSAN  // it leaves programs too few addresses for a budget (little_memory.h)
TEST_F(LiveStatistics, ShowTheListsUnderABudgetAndMappedFiles) {
  static constexpr std::size_t kBudget = std::size_t{4} << 20;
  ChildProgram program([this] {
    return run({.store = store(), .memory = kBudget}, [] {
      std::vector<char> pages(3 * kBudget);
      for (int round = 0; round < 2; ++round) {
        for (std::size_t at = 0; at < pages.size(); at += kPageBytes) ++pages[at];
      }
      print("filled, {}\n", std::to_integer<int>(map_file(REVENANT_TOOL)[0]));
      wait_to_be_killed();
    });
  });
  ASSERT_TRUE(program.says("filled")) << program.wait().err;
  const json now = figures();
  const json memory = now["memory"];
  EXPECT_EQ(memory["budget_bytes"], kBudget);
  EXPECT_GT(memory["active_pages"], 0);
  EXPECT_GE(memory["trimmed_pages"], kBudget / kPageBytes);
  EXPECT_GT(memory["written_pages"], 0);
  EXPECT_EQ(memory["file_faults"], 1);
  EXPECT_GE(memory["file_pages"], 1);
  EXPECT_TRUE(now["hit_rate"].is_number());
  EXPECT_EQ(now["per_second"].count("file_faults"), 1u);
  const std::string text = status().out;
  EXPECT_THAT(text, HasSubstr("resident, budget 4.0 MiB\n"));
  for (const char* row : {"active", "modified", "standby", "free", "parked", "file"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + row + " "));
  }
  EXPECT_THAT(text, HasSubstr("% of the pages wanted again were still in memory"));
}
#endif

TEST_F(LiveStatistics, CanBeReadWhileTheProgramIsStopped) {
  ChildProgram program(store(), fill_and_read, std::chrono::hours(1));
  ASSERT_TRUE(program.says("filled"));
  program.send(SIGSTOP);
  json stopped = figures();
  while (stopped["state"] != "stopped") stopped = figures();
  const json again = figures();
  EXPECT_EQ(again["memory"], stopped["memory"]);
  EXPECT_GE(again["memory"]["zero_pages"], kPages);
  EXPECT_THAT(status().out, HasSubstr(", stopped: start 1, "));
}

TEST_F(LiveStatistics, AreGoneWithTheProgramHoweverItEnds) {
  {
    ChildProgram program(store(), fill_and_read);
    ASSERT_TRUE(program.says("filled"));
    program.kill();
    program.wait();
  }
  const Ended killed = status();
  EXPECT_EQ(killed.exit_code(), 3);
  EXPECT_EQ(killed.err, "");
  EXPECT_EQ(killed.out, "nobody runs the store " + store().string() +
                            ": runtime_tests was started 1 time and has ended or was killed\n");
  const Ended as_json = status({"--json"});
  EXPECT_EQ(as_json.exit_code(), 3);
  EXPECT_EQ(json::parse(as_json.out)["running"], false);
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(store())) {
    files.insert(entry.path().filename());
  }
  EXPECT_EQ(files, (std::set<std::string>{"data.mdb", "identity", "lock", "lock.mdb"}));
}

TEST_F(LiveStatistics, AreShownAgainAndAgainUntilTheProgramEnds) {
  ChildProgram program(store(), fill_and_read);
  ASSERT_TRUE(program.says("filled"));
  ChildProgram watch(tool({"--json", "--watch=5ms"}));
  ASSERT_TRUE(watch.says("}}\n"));
  program.send(SIGSTOP);
  ASSERT_TRUE(watch.says("\"stopped\""));
  program.kill();
  program.wait();
  const Ended ended = watch.wait();
  EXPECT_EQ(ended.exit_code(), 3);
  EXPECT_THAT(ended.out.substr(ended.out.rfind("{\"v\"")), HasSubstr("\"running\":false"));
}

// As a killed program does whose threads need a while to end: the first of them is gone, and with
// it every descriptor that could be seen; the locks are still held.
TEST_F(LiveStatistics, AreNotMissedInAProgramThatIsEnding) {
  ChildProgram([this] { return run({.store = store()}, [] { sync(); }); }).wait();
  ChildProgram program([this]() -> int {
    const auto lock = store::OwnerLock::take(store(), store());
    REVENANT_CHECK(lock.ok());
    std::thread([] {
      while (first_threads_state() != 'Z') std::this_thread::yield();
      (void)::write(STDOUT_FILENO, "ending\n", 7);
      for (;;) ::pause();
    }).detach();
    ::syscall(SYS_exit, 0);
    return 0;
  });
  ASSERT_TRUE(program.says("ending"));
  const Ended ended = status();
  EXPECT_EQ(ended.exit_code(), 3) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("nobody runs the store "));
}

TEST_F(LiveStatistics, TellOfSnapshotsThatFail) {
  ChildProgram program(store(), [] {
    sync();
    const rlimit small{.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::vector<std::uint64_t> noise(1 << 20);
    std::mt19937_64 random(1);
    for (std::uint64_t& word : noise) word = random();
    try {
      sync();
    } catch (const error&) {
      print("failing\n");
    }
    wait_to_be_killed();
  });
  ASSERT_TRUE(program.says("failing"));
  const json snapshots = figures()["snapshots"];
  EXPECT_GE(snapshots["failed"], 1);
  EXPECT_GE(snapshots["committed"], 1);
  EXPECT_THAT(snapshots["error"], StartsWith("the store " + store().string()));
  EXPECT_THAT(snapshots["error"], HasSubstr("raise the limit of file sizes"));
  EXPECT_THAT(status().out, HasSubstr("failing, last "));
}

// The tool as another user, who may read the store's files. Whoever is not root cannot become
// another one, and may not look into a program that forbids it.
TEST_F(LiveStatistics, AreShownToTheProgramsUser) {
  ChildProgram program(store(), [] {
    ::prctl(PR_SET_DUMPABLE, 0);
    fill_and_read();
  });
  ASSERT_TRUE(program.says("filled"));
  namespace fs = std::filesystem;
  fs::permissions(store().parent_path(), fs::perms{0755});
  fs::permissions(store(), fs::perms{0755});
  for (const auto& file : fs::directory_iterator(store())) fs::permissions(file, fs::perms{0644});
  const Ended refused = ChildProgram(tool({}, [] {
                          constexpr uid_t kNobody = 65534;
                          if (::geteuid() != 0) return;
                          REVENANT_CHECK(::setgid(kNobody) == 0 && ::setuid(kNobody) == 0);
                        })).wait();
  EXPECT_EQ(refused.exit_code(), 1) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("may not be looked into: Permission denied; call this as"));
}

TEST_F(LiveStatistics, MayBeMissingAndTheProgramGoesOn) {
  ChildProgram program([this] {
    refuse_call(SYS_memfd_create, EPERM);
    return run({.store = store(), .tracker = "async"}, fill_and_read);
  });
  ASSERT_TRUE(program.says("filled"));
  ASSERT_TRUE(program.complains(
      "`revenant status` will have no figures of this program: making a file of memory failed: "
      "Operation not permitted; the program goes on"));
  const Ended none = status();
  EXPECT_EQ(none.exit_code(), 1);
  EXPECT_THAT(none.err, HasSubstr(" shows no figures: it is still starting, or what it said "));
}

}  // namespace
}  // namespace revenant::testing
