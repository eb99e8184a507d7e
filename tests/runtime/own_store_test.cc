// What a program does to the files of its own store.
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

class OwnStoreTest : public ProgramTest {};

TEST_F(OwnStoreTest, CopiedIsStillItsOwn) {
  const auto copies_itself = [path = store().string()] {
    std::filesystem::copy(path, path + ".copy", std::filesystem::copy_options::recursive);
    print("copied\n");
    char byte = 0;
    EXPECT_IN_CHILD(::read(STDIN_FILENO, &byte, 1) == 1);
    sync();
    return 0;
  };
  ChildProgram first(store(), copies_itself);
  ASSERT_TRUE(first.says("copied"));
  ChildProgram second(store(), copies_itself);
  second.close_stdin();
  const Ended refused = second.wait();
  EXPECT_EQ(refused.exit_code(), base::kStoreInUse) << refused.err;
  EXPECT_EQ(refused.out, "");
  first.tell("!");
  expect_well(first.wait());
}

// A data.mdb that lost its end, and with it what was written last, would else go unnoticed.
TEST_F(OwnStoreTest, RemembersItsSizeAtTheEnd) {
  const auto grows = [] {
    std::vector<std::string> kept;
    for (int i = 0; i < 20; ++i) {
      kept.emplace_back(60'000, static_cast<char>('a' + i));
      sync();
    }
  };
  expect_well(run_to_end(store(), grows));
  const auto data = store() / "data.mdb";
  std::filesystem::resize_file(data, std::filesystem::file_size(data) - 4096);
  const Ended refused = run_to_end(store(), grows);
  EXPECT_EQ(refused.exit_code(), base::kFindings) << refused.err;
}

}  // namespace
}  // namespace revenant::testing
