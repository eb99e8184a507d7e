// What print does where stdout takes no more for a while.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Output : public ProgramTest {};

TEST_F(Output, ANonBlockingStdoutGetsAllOfIt) {
  const std::string text(1 << 20, 'x');
  const auto main = [text] {
    EXPECT_IN_CHILD(::fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK) == 0);
    print("begins\n");
    print("{}", text);
    print("\nends\n");
    return 0;
  };
  ChildProgram program(store(), main);
  const Ended ended = program.wait();
  expect_well(ended);
  EXPECT_TRUE(ended.out == "begins\n" + text + "\nends\n") << ended.out.size();
}

}  // namespace
}  // namespace revenant::testing
