// `revenant status` of stores whose owner shows figures of another version or store, or none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/live_statistics.h"
#include "tests/cli/tool_run.h"
#include "vm/memory_file_linux.h"

namespace revenant::cli {
namespace {

using runtime::LiveHeader;
using runtime::LiveStatistics;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What this process shows as the owner of a store.
class Shown {
 public:
  explicit Shown(const LiveHeader& header, std::size_t bytes = sizeof(LiveStatistics))
      : file_(vm::make_memory_file(runtime::kLiveName)) {
    EXPECT_EQ(::ftruncate(file_, static_cast<off_t>(bytes)), 0);
    EXPECT_EQ(::pwrite(file_, &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
  }
  ~Shown() { ::close(file_); }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

 private:
  int file_;
};

class StatusTest : public ToolRun {
 protected:
  StatusTest() {
    header_.bytes = sizeof(LiveStatistics);
    header_.store = owner_->id();
    header_.generation = 5;
    std::string("sample").copy(header_.program.data(), header_.program.size() - 1);
  }

  crash::Outcome status(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), "status");
    return run_on_store(std::move(more));
  }
  void expect_status_refused(int exit_code, const char* words) const {
    const crash::Outcome outcome = status();
    expect_refused(outcome, exit_code, words);
    EXPECT_THAT(outcome.errors, ElementsAre(HasSubstr(store_.string())));
  }

  LiveHeader header_;
};

TEST_F(StatusTest, ShowsWhatTheOwnerShows) {
  const Shown shown(header_);
  const crash::Outcome outcome = status();
  EXPECT_EQ(outcome.exit_code, 0) << ::testing::PrintToString(outcome.errors);
  ASSERT_FALSE(outcome.output.empty());
  EXPECT_THAT(outcome.output[0], HasSubstr("sample, process " + std::to_string(::getpid())));
  EXPECT_THAT(outcome.output[0], HasSubstr("start 5, "));
  EXPECT_THAT(outcome.output, ::testing::Contains("snapshots  none since this start"));
  EXPECT_THAT(outcome.output, ::testing::Contains("no thread has waited for a lock"));
}

TEST_F(StatusTest, ReadsNothingOfAnotherVersion) {
  LiveHeader later = header_;
  later.version += 1;
  later.store = {};  // where it stood in this one
  LiveHeader longer = header_;
  longer.layout += 1;
  for (const LiveHeader& header : {later, longer}) {
    const Shown shown(header);
    expect_status_refused(13, "is of another version");
  }
  const Shown cut(header_, sizeof(LiveHeader));
  expect_status_refused(13, "is of another version");
}

TEST_F(StatusTest, ReadsNothingOfAnotherStoreOrHalfWritten) {
  expect_status_refused(1, "shows no figures");
  LiveHeader other = header_;
  other.store[0] ^= 1;
  const Shown shown_of_other(other);
  expect_status_refused(1, "shows no figures");
  LiveHeader unwritten = header_;
  unwritten.magic = 0;
  const Shown shown_half(unwritten);
  expect_status_refused(1, "shows no figures");
}

TEST_F(StatusTest, NobodyRunsAStoreWhoseOwnerHasEnded) {
  owner_.reset();
  const crash::Outcome outcome = status();
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.errors, IsEmpty());
  EXPECT_THAT(outcome.output, ElementsAre(HasSubstr("nobody runs the store " + store_.string())));
}

TEST_F(StatusTest, RefusesWhatItCannotWatchOrFind) {
  EXPECT_EQ(status({"--watch=0"}).exit_code, 2);
  EXPECT_EQ(status({"--watch=often"}).exit_code, 2);
  EXPECT_THAT(status({"--watch=often"}).errors, ElementsAre(HasSubstr("is not a length of time")));
  owner_.reset();
  std::filesystem::remove_all(store_);
  EXPECT_EQ(status().exit_code, 10);
}

}  // namespace
}  // namespace revenant::cli
