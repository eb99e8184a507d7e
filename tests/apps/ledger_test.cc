// The ledger loses nothing that it said was synced, and can prove it.
#include <gmock/gmock.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "tests/apps/app_run.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

class LedgerTest : public ::testing::Test {
 protected:
  AppRun start(const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> command = {LEDGER, "--store", store_, "--snapshot-every", "10ms"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return AppRun(command);
  }

  // The values of `key` in what a verb of the tool says.
  std::vector<std::string> told(const char* verb, const char* key) const {
    std::vector<std::string> values;
    for (const std::string& line :
         crash::run_to_end({REVENANT_TOOL, verb, "--json", "-s", store_}).output) {
      values.push_back(json::parse(line).at(key));
    }
    return values;
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path store_ = directory_ / "ledger.rev";
};

unsigned long count_in(const std::string& line) {
  unsigned long count = 0;
  EXPECT_EQ(std::sscanf(line.c_str(), "%*s %*u %lu", &count), 1) << line;
  return count;
}

TEST_F(LedgerTest, WhatWasSyncedIsThereAfterSigkill) {
  AppRun first = start();
  std::string synced;
  for (int i = 0; i < 5; ++i) synced = first.line_with("synced");
  first.kill();
  AppRun second = start();
  const std::string checked = second.line();
  EXPECT_THAT(checked, ::testing::StartsWith("checked 2 "));
  EXPECT_GE(count_in(checked), count_in(synced));
  // What is synced first may have been counted before the snapshot that was restored.
  EXPECT_GE(count_in(second.line_with("synced")), count_in(synced));
}

TEST_F(LedgerTest, SigtermEndsItInOrder) {
  AppRun first = start();
  const std::string synced = first.line_with("synced");
  first.send(SIGTERM);
  EXPECT_EQ(first.exit_code(), 0);
  EXPECT_GE(count_in(start().line_with("checked")), count_in(synced));
}

TEST_F(LedgerTest, CheckingAloneProvesItAndEnds) {
  AppRun first = start({"--threads", "3", "--accounts", "5"});
  const std::string synced = first.line_with("synced");
  first.kill();
  AppRun check = start({"--check"});
  EXPECT_EQ(check.exit_code(), 0);
  EXPECT_GE(count_in(check.line()), count_in(synced));
  EXPECT_EQ(check.line(), "");
  EXPECT_THAT(start().line(), ::testing::StartsWith("checked 3 "));
}

TEST_F(LedgerTest, WrongArgumentsAreRefusedAndLeaveNoTrace) {
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {"--accounts", "1"}, {"--threads", "none"}, {"--bogus"}, {"--check"}}) {
    AppRun refused = start(wrong);
    EXPECT_EQ(refused.exit_code(), 2) << wrong[0];
    EXPECT_EQ(refused.line(), "");
    EXPECT_FALSE(refused.errors().empty());
  }
  EXPECT_THAT(start().line(), ::testing::StartsWith("synced"));
}

TEST_F(LedgerTest, TheToolSeesItLiveAndDead) {
  AppRun ledger = start({"--threads", "2"});
  ledger.line_with("synced");
  for (const bool dead : {false, true}) {
    if (dead) ledger.kill();
    EXPECT_THAT(told("roots", "name"), Contains("bank"));
    EXPECT_THAT(told("threads", "name"), Contains("notary"));
    EXPECT_THAT(told("threads", "name"), Contains("clerk 1"));
    EXPECT_EQ(crash::run_to_end({REVENANT_TOOL, "verify", "--all", "-s", store_}).exit_code, 0);
  }
}

}  // namespace
}  // namespace revenant
