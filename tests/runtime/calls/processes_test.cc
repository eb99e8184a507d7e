// What is the whole process's, asked for by green threads: OS threads, children, signals, the end.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

class Processes : public ProgramTest {};

TEST_F(Processes, OsThreadsAndForksAreRefusedWithASentence) {
  const Ended ended = run_to_end(store(), [] {
    bool refused = false;
    try {
      std::thread([] {}).join();
    } catch (const std::system_error& error) {
      refused = error.code() == std::errc::resource_unavailable_try_again;
    }
    EXPECT_IN_CHILD(refused);
    EXPECT_IN_CHILD(::fork() == -1 && errno == ENOSYS);
    return 0;
  });
  expect_well(ended);
  EXPECT_NE(ended.err.find("use revenant::thread"), std::string::npos) << ended.err;
}

volatile sig_atomic_t handled = 0;
volatile pid_t handled_by = 0;

TEST_F(Processes, AHandlerHasRunWhenItsSignalIsRaised) {
  expect_well(run_to_end(store(), [] {
    struct sigaction wanted {};
    wanted.sa_handler = [](int) {
      handled = handled + 1;
      handled_by = ::gettid();
    };
    const auto before = std::make_unique<struct sigaction>();
    EXPECT_IN_CHILD(::sigaction(SIGUSR1, &wanted, before.get()) == 0);
    EXPECT_IN_CHILD(before->sa_handler == SIG_DFL);
    EXPECT_IN_CHILD(::raise(SIGUSR1) == 0 && handled == 1);
    EXPECT_IN_CHILD(handled_by == ::getpid());
    EXPECT_IN_CHILD(::signal(SIGUSR1, SIG_IGN) == wanted.sa_handler);
    EXPECT_IN_CHILD(::raise(SIGUSR1) == 0 && handled == 1);
    EXPECT_IN_CHILD(::sigaction(0, &wanted, nullptr) == -1 && errno == EINVAL);
    return 0;
  }));
}

TEST_F(Processes, TheSpacesSignalsStayTheRuntimes) {
  const Ended ended = run_to_end(store(), [] {
    EXPECT_IN_CHILD(::signal(SIGSEGV, SIG_IGN) == SIG_ERR && errno == EINVAL);
    sigset_t all;
    ::sigfillset(&all);
    EXPECT_IN_CHILD(::sigprocmask(SIG_BLOCK, &all, nullptr) == 0);
    EXPECT_IN_CHILD(::sigprocmask(SIG_BLOCK, nullptr, &all) == 0);
    EXPECT_IN_CHILD(::sigismember(&all, SIGBUS) == 0 && ::sigismember(&all, SIGSEGV) == 0);
    return 0;
  });
  expect_well(ended);
  EXPECT_NE(ended.err.find("leave both to the runtime"), std::string::npos) << ended.err;
}

TEST_F(Processes, TheStackOfMissingPagesStaysTheRuntimes) {
  const Ended ended = run_to_end(store(), [] {
    const auto memory = std::make_unique<char[]>(64 << 10);
    const auto before = std::make_unique<stack_t>();
    const stack_t wanted{.ss_sp = memory.get(), .ss_flags = 0, .ss_size = 64 << 10};
    EXPECT_IN_CHILD(::sigaltstack(&wanted, before.get()) == -1 && errno == EPERM);
    EXPECT_IN_CHILD(::sigaltstack(nullptr, before.get()) == 0);
    EXPECT_IN_CHILD(before->ss_flags == SS_DISABLE);
    EXPECT_IN_CHILD(::sigaltstack(before.get(), nullptr) == 0);
    EXPECT_IN_CHILD(std::string(8 << 20, 'x').back() == 'x');
    return 0;
  });
  expect_well(ended);
  EXPECT_NE(ended.err.find("alternate signal stack"), std::string::npos) << ended.err;
}

TEST_F(Processes, ExitRunsHandlersOnce) {
  const Ended ended = run_to_end(store(), [] {
    std::atexit([] { print("handler\n"); });
    thread([] { std::exit(7); }).join();
    print("never\n");
  });
  EXPECT_EQ(ended.exit_code(), 7) << ended.err;
  EXPECT_EQ(ended.out, "handler\n");
}

}  // namespace
}  // namespace revenant::testing
