// What a program does to the files of its own store.
#include <unistd.h>

#include <filesystem>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

constexpr int kStoreInUse = 11;

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
  EXPECT_EQ(refused.exit_code(), kStoreInUse) << refused.err;
  EXPECT_EQ(refused.out, "");
  first.tell("!");
  expect_well(first.wait());
}

}  // namespace
}  // namespace revenant::testing
