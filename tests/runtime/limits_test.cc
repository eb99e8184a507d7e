// What does not work in green threads, or works only within one life, and what happens then: the
// last table of docs/what-survives.md.
#include <ext/stdio_filebuf.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <istream>
#include <locale>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "base/sanitizer.h"
#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Limits : public ProgramTest {};

template <int kNumber>
struct Kind : std::locale::facet {
  static std::locale::id id;
};
template <int kNumber>
std::locale::id Kind<kNumber>::id;

TEST_F(Limits, AFacetOfAnotherKindMayNotBeFoundAfterARestart) {
  expect_well(second_life([] {
    const std::locale kept(std::locale::classic(), new Kind<1>);
    EXPECT_IN_CHILD(std::has_facet<Kind<1>>(kept));
    die_here();
    EXPECT_IN_CHILD(!std::has_facet<Kind<2>>(kept));  // has the first one's number now
    EXPECT_IN_CHILD(!std::has_facet<Kind<1>>(kept));
    return 0;
  }));
}

TEST_F(Limits, AsyncWantsAnOsThread) {
  const Ended ended = run_to_end(store(), [] {
    bool refused = false;
    try {
      std::async(std::launch::async, [] { return 1; }).get();
    } catch (const std::system_error& error) {
      refused = error.code() == std::errc::resource_unavailable_try_again;
    }
    EXPECT_IN_CHILD(refused);
    std::future<int> either = std::async([] { return 5; });
    EXPECT_IN_CHILD(either.get() == 5);
    return 0;
  });
  expect_well(ended);
  EXPECT_THAT(ended.err, HasSubstr("a green thread asked for an OS thread"));
}

// Busy for a while, with or without saying so.
template <class Step>
void be_busy(std::vector<char>& memory, Step step) {
  const auto until = std::chrono::steady_clock::now() + 60ms;
  while (std::chrono::steady_clock::now() < until) {
    ++memory[memory.size() / 2];
    step();
  }
}

TEST_F(Limits, ALoopThatNeverBlocksHoldsUpSnapshots) {
  expect_well(run_to_end(store(), [] {
    std::vector<char> memory(8192);
    const revision before = sync();
    be_busy(memory, [] {});
    EXPECT_IN_CHILD(sync() <= before + 2);
    revision last = sync();
    for (;;) {
      be_busy(memory, [] { safepoint(); });
      const revision now = sync();
      if (now > last + 2) return 0;
      last = now;
    }
  }));
}

TEST_F(Limits, AWaitInsideLibcHoldsUpOtherThreads) {
  expect_well(run_to_end(store(), [] {
    std::FILE* const output = ::popen("sleep 0.1; echo x", "r");
    bool ran = false;
    thread other([&] { ran = true; });
    EXPECT_IN_CHILD(!ran);
    const int got = ::getc_unlocked(output);
    EXPECT_IN_CHILD(got == 'x' && !ran);
    other.join();
    std::FILE* const input = ::popen("sleep 0.1; cat > /dev/null", "w");
    ran = false;
    thread another([&] { ran = true; });
    const std::string much(200'000, 'x');
    EXPECT_IN_CHILD(std::fprintf(input, "%s", much.c_str()) == 200'000);
    EXPECT_IN_CHILD(!ran);
    another.join();
    ::pclose(output);
    ::pclose(input);
    return 0;
  }));
}

TEST_F(Limits, ACallThatIsNotRedirectedFailsOnAMissingPage) {
  expect_well(run_to_end(store(), [] {
    const auto untouched = std::make_unique_for_overwrite<char[]>(4 << 20);
    char* const missing = untouched.get() + (1 << 20);
    EXPECT_IN_CHILD(::syscall(SYS_sched_getaffinity, 0, 128, missing) == -1 && errno == EFAULT);
    const volatile_scope scope;
    const auto outside = std::make_unique<char[]>(128);
    EXPECT_IN_CHILD(::syscall(SYS_sched_getaffinity, 0, 128, outside.get()) > 0);
    return 0;
  }));
}

// After sync_with_stdio(false), std::cin reads by such a buffer: a static object, which begins anew
// under the thread that waits in it.
#ifndef REVENANT_SANITIZED
TEST_F(Limits, AnUnsynchronisedCinDoesNotGoOn) {
  const auto main = [] {
    static __gnu_cxx::stdio_filebuf<char> buffer(stdin, std::ios::in);
    std::istream stream(&buffer);
    thread([] {
      this_thread::sleep_for(20ms);
      sync();
      print("ready\n");
    }).detach();
    std::string word;
    stream >> word;
    print("got {}\n", word);
    return 0;
  };
  {
    ChildProgram first(store(), main);
    ASSERT_TRUE(first.says("ready"));
    first.kill();
  }
  ChildProgram second(store(), main);
  second.tell("word\n");
  const Ended ended = second.wait();
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, HasSubstr("the address is not in the persistent space"));
}
#endif

}  // namespace
}  // namespace revenant::testing
