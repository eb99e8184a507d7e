// Threads that wait, and nothing else: the program has nothing to commit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

// Those that put the waits down, and the stops in which a page cools that was hot by then: each
// draws a number, though it commits nothing.
constexpr revision kFewSnapshots = 6 + 8;

class IdleWaits : public ProgramTest {
 protected:
  // Returns after many ticks of another program's clock.
  void let_time_pass() {
    expect_well(run_to_end(file("other"), [] {
      for (int tick = 0; tick < 50; ++tick) this_thread::sleep_for(10ms);
      return 0;
    }));
  }
};

// Three threads wait while main waits on stdin for a word from outside, twice.
int wait_twice() {
  struct Shared {
    std::atomic<int> word{0};
    std::latch latch{1};
    std::counting_semaphore<4> tokens{0};
  };
  const auto shared = std::make_unique<Shared>();
  thread on_word([&] { shared->word.wait(0); });
  thread on_latch([&] { shared->latch.wait(); });
  thread on_tokens([&] { shared->tokens.acquire(); });
  revision snapshots = 0;
  for (int round = 0; round < 2; ++round) {
    this_thread::sleep_for(20ms);
    const revision before = sync();
    print("idle {}\n", round);
    char word[2];
    const ssize_t got = ::read(STDIN_FILENO, word, sizeof word);
    snapshots = sync() - before;
    if (got != sizeof word) snapshots = 1'000;
  }
  shared->word = 1;
  shared->word.notify_all();
  shared->latch.count_down();
  shared->tokens.release();
  for (thread* each : {&on_word, &on_latch, &on_tokens}) each->join();
  print("{} snapshots\n", snapshots);
  EXPECT_IN_CHILD(snapshots <= kFewSnapshots);
  return 0;
}

TEST_F(IdleWaits, LeaveNothingToCommit) {
  ChildProgram program(store(), wait_twice);
  ASSERT_TRUE(program.says("idle 0"));
  program.tell("go");
  ASSERT_TRUE(program.says("idle 1"));
  let_time_pass();
  program.tell("go");
  expect_well(program.wait());
}

TEST_F(IdleWaits, LeaveNothingToCommitAfterARestart) {
  {
    ChildProgram first(store(), wait_twice);
    ASSERT_TRUE(first.says("idle 0"));
    first.kill();
  }
  ChildProgram second(store(), wait_twice);
  second.tell("go");
  ASSERT_TRUE(second.says("idle 1"));
  let_time_pass();
  second.tell("go");
  expect_well(second.wait());
}

}  // namespace
}  // namespace revenant::testing
