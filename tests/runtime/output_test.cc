// What print does where stdout takes no more for a while.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST_F(Output, AReaderWhoGoesEndsTheProgramQuietly) {
  const auto begin = [&](bool closed) {
    return ChildProgram([&, closed] {
             if (closed) {
               int ends[2];
               if (::pipe(ends) != 0 || ::close(ends[0]) != 0) return 99;
               ::dup2(ends[1], STDOUT_FILENO);
             }
             options chosen;
             chosen.store = store();
             return run(chosen, [] {
               const int before = 42;
               sync();
               print("{}\n", before);
               return 0;
             });
           })
        .wait();
  };
  const Ended ended = begin(true);
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, HasSubstr("thread 1 'main' printed to a stdout whose reader has gone"));
  EXPECT_THAT(ended.err, Not(HasSubstr("#0")));
  EXPECT_THAT(ended.err, HasSubstr("stays as last committed (revision 1)"));
  const Ended again = begin(false);
  expect_well(again);
  EXPECT_EQ(again.out, "42\n");
}

TEST_F(Output, AThreadThatKeepsTheProgramFromEndingIsNamed) {
  ChildProgram program(store(), [] {
    thread({.name = "guest"}, [] {
      for (;;) this_thread::sleep_for(1s);
    }).detach();
  });
  EXPECT_TRUE(program.complains("main has returned, and thread 2 'guest' has not ended"));
  program.send(SIGTERM);
  expect_well(program.wait());
}

}  // namespace
}  // namespace revenant::testing
