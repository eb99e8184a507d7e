// kill_driver finds each fault it is there to find, and nothing in a program without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant::crash {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct Verdict {
  int exit_code;
  json report;
};

Verdict drive(const std::string& fault, int kills = 60, const std::string& tool = "none") {
  const Outcome outcome = run_to_end(
      {KILL_DRIVER, "--app",    FAKE_APP,  "--oracle", "ledger", "--kills", std::to_string(kills),
       "--seed",    "7",        "--lives", "2ms:60ms", "--tool", tool,      "--watchdog",
       "3",         "--memory", "16M",     "--json",   "--",     "--fault", fault});
  return {outcome.exit_code, outcome.output.empty() ? json() : json::parse(outcome.output[0])};
}

TEST(KillDriver, FindsNothingInAProgramWithoutFault) {
  const Verdict verdict = drive("none");
  EXPECT_EQ(verdict.exit_code, 0) << verdict.report;
  EXPECT_EQ(verdict.report["kills"], 60);
  EXPECT_EQ(verdict.report["violations"], 0);
  EXPECT_GT(verdict.report["lives"]["proof"], 0);
  EXPECT_GT(verdict.report["refused_starts"], 0);
  EXPECT_GT(verdict.report["sampled"], 0);
}

TEST(KillDriver, GivesTheFirstLifeAsLongAsItIsTold) {
  const Outcome outcome =
      run_to_end({KILL_DRIVER, "--app", FAKE_APP, "--oracle", "ledger", "--kills", "2", "--lives",
                  "1ms:2ms", "--first-life", "300ms", "--tool", "none", "--json"});
  ASSERT_EQ(outcome.exit_code, 0);
  const json report = json::parse(outcome.output[0]);
  EXPECT_EQ(report["lives"]["long"], 1);
  const std::vector<int> counts = report["length_counts"];
  EXPECT_GE(std::accumulate(counts.begin() + 6, counts.end(), 0), 1) << "of 300 ms and more";
}

struct Fault {
  const char* name;
  const char* sentence;
};

class KillDriverFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(KillDriverFaults, IsFound) {
  const Verdict verdict = drive(GetParam().name);
  ASSERT_EQ(verdict.exit_code, 1) << verdict.report;
  const json& violation = verdict.report["violation"];
  EXPECT_THAT(violation["sentence"].get<std::string>(), HasSubstr(GetParam().sentence));
  EXPECT_GT(violation["kill"], 0);
  EXPECT_EQ(verdict.report["seed"], 7);
}

INSTANTIATE_TEST_SUITE_P(
    Each, KillDriverFaults,
    ::testing::Values(Fault{"violation", "L5: the ledger reports: violation: the total is 99999"},
                      Fault{"garbage", "L5"}, Fault{"back", "L3"}, Fault{"unchecked", "L4"},
                      Fault{"crash", "SIGSEGV"}, Fault{"exit", "exit code 0"},
                      Fault{"hang", "hangs"}, Fault{"two-owners", "K2: two processes"},
                      Fault{"wordy", "2 sentences"}, Fault{"wrong-code", "exit code 1"},
                      Fault{"deaf", "SIGTERM"}, Fault{"greedy", "K5: its pages take"}),
    [](const auto& info) {
      std::string name = info.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

// A tool that finds damage where the newest snapshot's is not all that is looked at.
class KillDriverTool : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(tool_) << "#!/bin/sh\ncase \"$*\" in verify*--all*) exit 3;; esac\n";
    std::filesystem::permissions(tool_, std::filesystem::perms::owner_all);
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path tool_ = directory_ / "tool";
};

TEST_F(KillDriverTool, LooksAtAllSnapshotsEveryFewKills) {
  const Verdict verdict = drive("none", 60, tool_);
  ASSERT_EQ(verdict.exit_code, 1) << verdict.report;
  EXPECT_THAT(verdict.report["violation"]["sentence"].get<std::string>(), HasSubstr("K4"));
  EXPECT_LE(verdict.report["violation"]["kill"], 5);
}

TEST_F(KillDriverTool, LooksAtAllSnapshotsAtTheEnd) {
  EXPECT_EQ(drive("none", 1, tool_).exit_code, 1);
}

// A program that ends by itself, after three lines; from its third start on with a fault.
class KillDriverEnding : public ::testing::Test {
 protected:
  Verdict drive_until(const std::string& fault) const {
    std::filesystem::remove(app_.string() + ".starts");
    std::ofstream(app_) << "#!/bin/sh\n"
                           "trap 'exit 0' TERM\n"
                           "echo start >> $0.starts\n"
                           "fault() { test $(wc -l < $0.starts) -ge 3; }\n"
                           "echo one; sleep 0.01\n"
                        << fault << "\necho two; sleep 0.01\necho three\n";
    std::filesystem::permissions(app_, std::filesystem::perms::owner_all);
    const Outcome outcome =
        run_to_end({KILL_DRIVER, "--app", app_, "--oracle", "graph", "--kills", "30", "--seed", "7",
                    "--lives", "2ms:60ms", "--tool", "none", "--watchdog", "3", "--json"});
    return {outcome.exit_code, outcome.output.empty() ? json() : json::parse(outcome.output[0])};
  }
  std::string violation_of(const std::string& fault) const {
    const Verdict verdict = drive_until(fault);
    return verdict.exit_code == 1 ? verdict.report["violation"]["sentence"] : json("none");
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path app_ = directory_ / "app";
};

TEST_F(KillDriverEnding, IsLetEndAndBegunAnew) {
  const Verdict verdict = drive_until("");
  EXPECT_EQ(verdict.exit_code, 0) << verdict.report;
  EXPECT_GT(verdict.report["ended_by_itself"], 0);
  EXPECT_GT(verdict.report["kills"], 0);
  EXPECT_EQ(verdict.report["kills"].get<int>() + verdict.report["ended_by_itself"].get<int>(), 30);
  EXPECT_GT(verdict.report["fresh_stores"], verdict.report["ended_by_itself"]);
}

TEST_F(KillDriverEnding, ButNotBeforeItHasShownEverything) {
  EXPECT_THAT(violation_of("fault && exit 0"),
              HasSubstr("K1: it ended by itself with exit code 0"));
  EXPECT_THAT(violation_of("fault && exit 3"),
              HasSubstr("K1: it ended by itself with exit code 3"));
}

TEST_F(KillDriverEnding, NorWithAnotherResult) {
  EXPECT_THAT(violation_of("fault && echo 2"), HasSubstr("R1"));
}

TEST_F(KillDriverEnding, AndItHasToEnd) {
  EXPECT_THAT(violation_of("fault && { echo two; echo three; while :; do sleep 0.01; done; }"),
              HasSubstr("K3: it has not ended by itself"));
}

TEST(KillDriver, RefusesAToolThatCannotBeRun) {
  const Outcome outcome = run_to_end(
      {KILL_DRIVER, "--app", FAKE_APP, "--oracle", "counter", "--tool", "/etc/passwd/x"});
  EXPECT_EQ(outcome.exit_code, 2);
  ASSERT_FALSE(outcome.errors.empty());
  EXPECT_EQ(outcome.errors.back(),
            "kill_driver: the tool /etc/passwd/x cannot be run (Not a directory); give --tool the "
            "path of a `revenant`, or none");
}

TEST(KillDriver, RefusesAProgramThatIsNotThere) {
  EXPECT_EQ(run_to_end({KILL_DRIVER, "--app", "/nowhere/at/all"}).exit_code, 2);
}

}  // namespace
}  // namespace revenant::crash
