// What tests of programs have in common: a store of their own, and how a program should end.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/runtime/child_program.h"
#include "tests/support/temporary_directory.h"

namespace revenant::testing {

class ProgramTest : public ::testing::Test {
 protected:
  std::filesystem::path store() const { return directory_ / "store"; }
  std::string file(const char* name) const { return (directory_ / name).string(); }
  static void expect_well(const Ended& ended) {
    EXPECT_EQ(ended.exit_code(), 0) << ended.out << ended.err;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace revenant::testing
