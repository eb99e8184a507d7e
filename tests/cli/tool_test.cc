// The tool as people and scripts run it: what it prints, and its exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/tool_run.h"

namespace revenant::cli {
namespace {

using crash::Outcome;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ToolTest : public ToolRun {
 protected:
  std::vector<json> json_of(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const Outcome outcome = run_on_store(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 0) << ::testing::PrintToString(outcome.errors);
    std::vector<json> lines;
    for (const std::string& line : outcome.output) {
      EXPECT_THAT(line, ::testing::StartsWith("{\"v\":1"));
      lines.push_back(json::parse(line));
    }
    return lines;
  }
};

TEST_F(ToolTest, LogListsTheNewestFirst) {
  const auto lines = json_of({"log"});
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0]["revision"], 3);
  EXPECT_EQ(lines[0]["parent"], 2);
  EXPECT_EQ(lines[0]["branch"], "main");
  EXPECT_EQ(lines[0]["pages_written"], 1);
  EXPECT_EQ(lines[0]["pause_us"], 150);
  EXPECT_EQ(lines[1]["tags"], json::array({"first"}));
  EXPECT_EQ(lines[2]["revision"], 1);
}

TEST_F(ToolTest, LogTakesAsManyAsAskedFor) {
  EXPECT_THAT(json_of({"log", "-n", "2"}), SizeIs(2));
  EXPECT_THAT(json_of({"log", "--since", "1h"}), SizeIs(3));
  EXPECT_THAT(json_of({"log", "--since", "0"}), IsEmpty());
}

TEST_F(ToolTest, LogIsATableWithoutColourOnAPipe) {
  const Outcome outcome = run_on_store({"log"});
  ASSERT_THAT(outcome.output, SizeIs(4));
  EXPECT_THAT(outcome.output[0], ::testing::StartsWith("REVISION"));
  EXPECT_THAT(outcome.output[2], ::testing::EndsWith("first"));
  EXPECT_THAT(outcome.output[0], Not(HasSubstr("\x1b")));
  EXPECT_THAT(outcome.errors, IsEmpty());  // progress is for terminals
  EXPECT_THAT(run_on_store({"log", "--color=always"}).output[0], HasSubstr("\x1b[1m"));
}

TEST_F(ToolTest, ShowDescribesOneSnapshot) {
  const auto lines = json_of({"show", "first", "--stat"});
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["revision"], 2);
  EXPECT_EQ(lines[0]["roots"], 2);
  EXPECT_EQ(lines[0]["build_id"], "abababababababababababababababababababab");
  EXPECT_EQ(lines[0]["hash"].get<std::string>().size(), 32u);
  const json& heap = lines[0]["memory"][2];
  EXPECT_EQ(heap["kind"], "heap");
  EXPECT_EQ(heap["pages_written"], 1);
  EXPECT_GT(heap["pages"], 1);
}

TEST_F(ToolTest, ThreadsComeByNameAndState) {
  const auto lines = json_of({"threads"});
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["id"], 1);
  EXPECT_EQ(lines[0]["name"], "main");
  EXPECT_EQ(lines[0]["state"], "ready");
  EXPECT_EQ(lines[1]["name"], "clerk");
}

TEST_F(ToolTest, RootsComeByNameAndType) {
  EXPECT_THAT(
      run_on_store({"roots", "latest~2"}).output,
      ElementsAre("NAME        ADDRESS         SIZE  TYPE", "bank/north  0x560200000040  24 B  ?",
                  "count       0x560200000080  24 B  int"));
}

TEST_F(ToolTest, ADeadStoreIsReadAsALiveOneIs) {
  owner_.reset();
  EXPECT_THAT(json_of({"log"}), SizeIs(3));
  EXPECT_THAT(json_of({"threads", "1"}), SizeIs(2));
}

TEST_F(ToolTest, TheStoreMayComeFromTheEnvironment) {
  ::setenv("REVENANT_STORE", store_.c_str(), 1);
  const Outcome outcome = run({"log"});
  ::unsetenv("REVENANT_STORE");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, SizeIs(4));
}

TEST_F(ToolTest, VerifyFindsASoundStoreWhole) {
  const auto lines = json_of({"verify", "--all"});
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["snapshots"], 3);
  EXPECT_EQ(lines[0]["findings"], 0);
  EXPECT_GT(lines[0]["images"], 3);
}

TEST_F(ToolTest, VerifyNamesWhatIsDamaged) {
  owner_.reset();
  const std::filesystem::path data = store_ / "data.mdb";
  std::ifstream input(data, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(input), {}};
  std::string text(kSamplePageText);
  text.back() = 'B';  // revision 3's
  const auto place = bytes.find(text);
  ASSERT_NE(place, std::string::npos);
  std::fstream output(data, std::ios::binary | std::ios::in | std::ios::out);
  output.seekp(static_cast<std::streamoff>(place)).put('T').flush();

  EXPECT_EQ(run_on_store({"verify", "2"}).exit_code, 0);
  const Outcome outcome = run_on_store({"verify", "3", "--json"});
  EXPECT_EQ(outcome.exit_code, 3);
  ASSERT_THAT(outcome.output, SizeIs(2));
  const json finding = json::parse(outcome.output[0]);
  EXPECT_EQ(finding["revision"], 3);
  EXPECT_EQ(finding["page"], "0x560200010000");
  EXPECT_EQ(json::parse(outcome.output[1])["findings"], 1);
}

// LMDB believes its own pages: whatever happens in the reader, the tool says a sentence.
TEST_F(ToolTest, VerifySurvivesDamageBelowTheRecords) {
  owner_.reset();
  const std::filesystem::path data = store_ / "data.mdb";
  const auto size = std::filesystem::file_size(data);
  std::fstream output(data, std::ios::binary | std::ios::in | std::ios::out);
  output.seekp(2 * base::kPageSize);
  for (auto i = 2 * base::kPageSize; i < size; ++i) output.put('\xff');
  output.flush();
  const Outcome outcome = run_on_store({"verify", "--all"});
  EXPECT_EQ(outcome.exit_code, 3);
  ASSERT_THAT(outcome.errors, SizeIs(1));
  EXPECT_THAT(outcome.errors[0], EndsWith("; restore it from a copy"));
}

// As a program leaves it that was killed before its first snapshot.
TEST_F(ToolTest, AStoreWithoutASnapshotIsWhole) {
  const std::filesystem::path path = directory_ / "young.rev";
  ASSERT_TRUE(store::Store::open({.path = path, .program = "young"}).ok());
  EXPECT_EQ(run({"verify", "-s", path}).exit_code, 0);
  EXPECT_EQ(run({"verify", "--all", "-s", path}).exit_code, 0);
  EXPECT_EQ(run({"verify", "1", "-s", path}).exit_code, 14);
}

TEST_F(ToolTest, OutputThatIsLostIsNotWell) {
  const std::string log = std::string(REVENANT_TOOL) + " log -s " + store_.string();
  const Outcome full = crash::run_to_end({"/bin/sh", "-c", log + " >/dev/full"});
  expect_refused(full, 1, "the output could not be written: No space left on device");
}

TEST_F(ToolTest, ClosedStandardDescriptorsAreNotTakenByTheStore) {
  const std::string log = std::string(REVENANT_TOOL) + " log -s " + store_.string();
  EXPECT_EQ(crash::run_to_end({"/bin/sh", "-c", log + " <&- >&-"}).exit_code, 0);
  EXPECT_EQ(run_on_store({"verify", "--all"}).exit_code, 0);
}

TEST_F(ToolTest, ExitCodesTellWhatIsWrong) {
  expect_refused(run({"log", "-s", directory_ / "nowhere"}), 10, "nowhere");
  std::filesystem::create_directory(directory_ / "empty");
  expect_refused(run({"log", "-s", directory_ / "empty"}), 10, "empty");
  expect_refused(run_on_store({"show", "99"}), 14, "no revision 99");
  expect_refused(run_on_store({"show", "latest~"}), 2, "after `~` comes a number");
  expect_refused(run({"log"}), 2, "REVENANT_STORE");
  expect_refused(run({}), 2, "no verb is given; the verbs are log, show, threads, roots, verify");
  expect_refused(run({"nonsense"}), 2, "`nonsense` is no verb; the verbs are log, show");
  expect_refused(run({"--nonsense", "log"}), 2, "--nonsense");
  expect_refused(run_on_store({"log", "--nonsense"}), 2, "`revenant log --help`");
  expect_refused(run_on_store({"log", "--color=pink"}), 2, "pink");
  expect_refused(run_on_store({"log", "-n", "-1"}), 2, "`-1` is no number of snapshots");
  expect_refused(run_on_store({"log", "-n", "many"}), 2, "`many` is no number of snapshots");
  EXPECT_EQ(run({"--help"}).exit_code, 0);
  EXPECT_EQ(run({"verify", "--help"}).exit_code, 0);
}

TEST_F(ToolTest, TellsItsVersion) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, ElementsAre(::testing::StartsWith("revenant 0.")));
}

TEST_F(ToolTest, WhatIsNotThereYetIsRefusedInOneSentence) {
  for (const char* verb :
       {"diff", "objects", "read", "modified", "prune", "compact", "branch", "tag", "rollback",
        "send", "recv", "export", "debug", "top", "snapshot", "serve"}) {
    expect_refused(run_on_store({verb, "a", "--flag"}), 2, "not available in this version");
  }
  expect_refused(run_on_store({"threads", "--bt"}), 2, "not available in this version");
  expect_refused(run_on_store({"log", "--graph"}), 2, "not available in this version");
  expect_refused(run_on_store({"show", "live"}), 2, "not available in this version");
}

}  // namespace
}  // namespace revenant::cli
