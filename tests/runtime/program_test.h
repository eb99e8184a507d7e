// What tests of programs have in common: a store of their own, and how a program should end.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/runtime/child_program.h"
#include "tests/support/temporary_directory.h"

namespace revenant::testing {

// Returns in the next life.
inline void die_here() {
  const std::uint64_t born = generation();
  sync();
  print("ready\n");
  while (generation() == born) this_thread::sleep_for(std::chrono::milliseconds(1));
}

class ProgramTest : public ::testing::Test {
 protected:
  std::filesystem::path store() const { return directory_ / "store"; }
  std::string file(const char* name) const { return (directory_ / name).string(); }
  static void expect_well(const Ended& ended) {
    EXPECT_EQ(ended.exit_code(), 0) << ended.out << ended.err;
  }
  // How `main` ends in its second life; its first ends by SIGKILL once it has said ready.
  template <class F>
  Ended second_life(F main) const {
    {
      ChildProgram first(store(), main);
      EXPECT_TRUE(first.says("ready")) << first.wait().err;
      first.kill();
    }
    return run_to_end(store(), main);
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace revenant::testing
