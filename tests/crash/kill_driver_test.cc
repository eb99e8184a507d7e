// kill_driver finds each fault it is there to find, and nothing in a program without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "child.h"

namespace revenant::crash {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct Outcome {
  int exit_code;
  json report;
};

Outcome drive(const std::string& fault, int kills = 60) {
  Child driver({KILL_DRIVER, "--app", FAKE_APP, "--oracle", "ledger", "--kills",
                std::to_string(kills), "--seed", "7", "--lives", "2ms:60ms", "--tool", "none",
                "--watchdog", "3", "--json", "--app-arg=--fault", "--app-arg=" + fault});
  Child* const only = &driver;
  while (!driver.ended()) Child::wait_any({&only, 1}, Clock::now() + std::chrono::seconds(1));
  const auto line = driver.take_line();
  return {driver.end()->exit_code.value_or(-1), line ? json::parse(*line) : json()};
}

TEST(KillDriver, FindsNothingInAProgramWithoutFault) {
  const Outcome outcome = drive("none");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.report;
  EXPECT_EQ(outcome.report["kills"], 60);
  EXPECT_EQ(outcome.report["violations"], 0);
  EXPECT_GT(outcome.report["lives"]["proof"], 0);
  EXPECT_GT(outcome.report["refused_starts"], 0);
}

struct Fault {
  const char* name;
  const char* sentence;
};

class KillDriverFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(KillDriverFaults, IsFound) {
  const Outcome outcome = drive(GetParam().name);
  ASSERT_EQ(outcome.exit_code, 1) << outcome.report;
  const json& violation = outcome.report["violation"];
  EXPECT_THAT(violation["sentence"].get<std::string>(), HasSubstr(GetParam().sentence));
  EXPECT_GT(violation["kill"], 0);
  EXPECT_EQ(outcome.report["seed"], 7);
}

INSTANTIATE_TEST_SUITE_P(
    Each, KillDriverFaults,
    ::testing::Values(Fault{"violation", "L5: the ledger reports: violation: the total is 99999"},
                      Fault{"garbage", "L5"}, Fault{"back", "L3"}, Fault{"unchecked", "L4"},
                      Fault{"crash", "SIGSEGV"}, Fault{"exit", "exit code 0"},
                      Fault{"hang", "hangs"}, Fault{"two-owners", "K2: two processes"},
                      Fault{"wordy", "2 sentences"}, Fault{"wrong-code", "exit code 1"},
                      Fault{"deaf", "SIGTERM"}),
    [](const auto& info) {
      std::string name = info.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(KillDriver, RefusesAProgramThatIsNotThere) {
  Child driver({KILL_DRIVER, "--app", "/nowhere/at/all"});
  Child* const only = &driver;
  while (!driver.ended()) Child::wait_any({&only, 1}, Clock::now() + std::chrono::seconds(1));
  EXPECT_EQ(driver.end()->exit_code, 2);
}

}  // namespace
}  // namespace revenant::crash
