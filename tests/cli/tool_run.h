// The tool, run as people and scripts run it, on a sample store that this process owns.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/sample_store.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant::cli {

class ToolRun : public ::testing::Test {
 protected:
  crash::Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), REVENANT_TOOL);
    return crash::run_to_end(arguments);
  }
  crash::Outcome run_on_store(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-s", store_});
    return run(std::move(arguments));
  }
  void expect_refused(const crash::Outcome& outcome, int exit_code, const char* words) const {
    EXPECT_EQ(outcome.exit_code, exit_code);
    EXPECT_THAT(outcome.output, ::testing::IsEmpty());
    EXPECT_THAT(outcome.errors, ::testing::ElementsAre(::testing::HasSubstr(words)));
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path store_ = directory_ / "sample.rev";
  std::unique_ptr<store::Store> owner_ = make_sample_store(store_);
};

}  // namespace revenant::cli
