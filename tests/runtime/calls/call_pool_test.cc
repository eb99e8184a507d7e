// Calls that wait for one another.
#include "runtime/call_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <vector>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class CallPool : public ProgramTest {};

TEST_F(CallPool, WaitingCallsLeaveRoomForTheOneThatEndsThem) {
  const std::string path = file("locked");
  expect_well(run_to_end(store(), [path] {
    const auto open_once_more = [&path] { return ::open(path.c_str(), O_RDWR | O_CREAT, 0600); };
    const int held = open_once_more();
    EXPECT_IN_CHILD(::flock(held, LOCK_EX) == 0);
    std::size_t begun = 0;
    std::size_t got = 0;
    std::vector<thread> waiting;
    for (std::size_t i = 0; i < runtime::kMaxPoolThreads + 6; ++i) {
      waiting.emplace_back([&] {
        const int own = open_once_more();
        ++begun;
        if (::flock(own, LOCK_EX) == 0) ++got;
        ::close(own);
      });
    }
    while (begun != waiting.size()) this_thread::sleep_for(1ms);
    for (int i = 0; i < 5; ++i) {
      this_thread::sleep_for(5ms);
      EXPECT_IN_CHILD(::fsync(held) == 0);
    }
    EXPECT_IN_CHILD(got == 0 && ::flock(held, LOCK_UN) == 0);
    for (thread& each : waiting) each.join();
    EXPECT_IN_CHILD(got == waiting.size());
    return 0;
  }));
}

}  // namespace
}  // namespace revenant::testing
