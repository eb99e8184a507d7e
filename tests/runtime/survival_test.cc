// What belongs to the process and not to the program: it begins anew in each, as
// docs/what-survives.md says.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <locale>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/sanitizer.h"
#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class Survival : public ProgramTest {};

TEST_F(Survival, ASyncReturnsItsRevisionAgainAndWhatFollowsIsPrintedAgain) {
  const auto main = [] {
    const std::vector<char> work(100'000, 'x');
    sync();
    const std::uint64_t born = generation();
    const revision synced = sync();
    print("synced {}\n", synced);
    if (generation() == born) ::kill(::getpid(), SIGKILL);
    return 0;
  };
  const auto on_request = 0ms;
  const Ended first = ChildProgram(store(), main, on_request).wait();
  EXPECT_EQ(first.exit_code(), -1);
  const Ended second = ChildProgram(store(), main, on_request).wait();
  expect_well(second);
  EXPECT_THAT(first.out, HasSubstr("synced "));
  EXPECT_EQ(second.out, first.out);
}

struct Dotted : std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
};

TEST_F(Survival, DefaultsOfTheProcessBeginAnew) {
  expect_well(second_life([] {
    static std::mutex in_static_storage;
    in_static_storage.lock();
    std::pmr::monotonic_buffer_resource resource;
    std::pmr::set_default_resource(&resource);
    std::locale::global(std::locale(std::locale::classic(), new Dotted));
    die_here();
    EXPECT_IN_CHILD(std::pmr::get_default_resource() == std::pmr::new_delete_resource());
    EXPECT_IN_CHILD(std::locale() == std::locale::classic());
    EXPECT_IN_CHILD(in_static_storage.try_lock());
    in_static_storage.unlock();
    return 0;
  }));
}

int destroyed = 0;

struct Noted {
  int number = 1;
  ~Noted() { ++destroyed; }
};

thread_local Noted noted;

TEST_F(Survival, ThreadLocalsAreTheWorkersAndBeginAnew) {
  expect_well(second_life([] {
    thread([] { noted.number = 5; }).join();
    EXPECT_IN_CHILD(noted.number == 5 && destroyed == 0);
    die_here();
    EXPECT_IN_CHILD(noted.number == 1);
    return 0;
  }));
}

#ifndef REVENANT_SANITIZED  // of its libc's streams, and of its reports of faults
TEST_F(Survival, WhatStdioHasBufferedIsLost) {
  const std::string path = file("lines");
  const Ended second = second_life([path] {
    std::FILE* const lines = std::fopen(path.c_str(), "w");
    std::fputs("a line of a file", lines);
    std::printf("a line of stdout");
    die_here();
    std::printf("another line\n");
    errno = 0;
    EXPECT_IN_CHILD(std::fflush(lines) != 0 && errno == EBADF);
    std::fflush(stdout);
    return 0;
  });
  expect_well(second);
  EXPECT_THAT(second.out, HasSubstr("another line"));
  EXPECT_THAT(second.out, Not(HasSubstr("a line of stdout")));
  std::ifstream written(path);
  EXPECT_EQ(written.get(), EOF);
}

TEST_F(Survival, AMappingIsGone) {
  const Ended second = second_life([] {
    void* const wanted = reinterpret_cast<void*>(0x580000000000);  // where nothing else comes
    void* const mapped = ::mmap(wanted, 4096, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT_IN_CHILD(mapped == wanted);
    auto* const number = static_cast<volatile int*>(mapped);
    *number = 42;
    die_here();
    return *number;
  });
  EXPECT_EQ(second.exit_code(), 1);
  EXPECT_THAT(second.err, HasSubstr("read from 0x580000000000: the address is not in the"));
}
#endif

constexpr char kMark[] = "of an earlier process";

const char* allocate_outside() {
  const volatile_scope scope;
  return ::strdup(kMark);
}

// By the kernel, for there may be nothing, or something of the new process.
bool is_marked(const char* address) {
  char found[sizeof kMark]{};
  const int memory = ::open("/proc/self/mem", O_RDONLY);
  const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(address));
  const bool read = ::pread(memory, found, sizeof kMark, at) == sizeof kMark;
  ::close(memory);
  return read && std::string_view(found, sizeof kMark) == std::string_view(kMark, sizeof kMark);
}

TEST_F(Survival, MemoryOfAVolatileScopeIsGone) {
  expect_well(second_life([] {
    const char* outside = nullptr;
    if (generation() == 1) outside = allocate_outside();
    EXPECT_IN_CHILD(is_marked(outside));
    die_here();
    EXPECT_IN_CHILD(!is_marked(outside));
    return 0;
  }));
}

// Runs as a process that was started with `word` as its argument and in its environment.
int start_with(const std::filesystem::path& store, const char* word) {
  ::setenv("WORD", word, 1);
  std::string name = "program";
  std::string flag = "--store";
  std::string value = store.string();
  std::string argument = word;
  std::array<char*, 5> words{name.data(), flag.data(), value.data(), argument.data(), nullptr};
  return run(4, words.data(), [] {
    const pid_t first = ::getpid();
    die_here();
    print("{} {} {}\n", args().at(0), std::getenv("WORD"), ::getpid() != first);
  });
}

TEST_F(Survival, ProcessEnvironmentAndArgumentsAreThoseOfThisStart) {
  {
    ChildProgram first([this] { return start_with(store(), "one"); });
    ASSERT_TRUE(first.says("ready"));
    first.kill();
  }
  const Ended second = ChildProgram([this] { return start_with(store(), "two"); }).wait();
  expect_well(second);
  EXPECT_THAT(second.out, HasSubstr("two two true\n"));
}

TEST_F(Survival, HandlersOfSignalsAndOfTheEndAreRegisteredAnew) {
  const Ended second = second_life([] {
    const auto handler = [](int) {};
    EXPECT_IN_CHILD(::signal(SIGUSR1, handler) == SIG_DFL);
    std::atexit([] { print("the end\n"); });
    die_here();
    EXPECT_IN_CHILD(::signal(SIGUSR1, SIG_IGN) == SIG_DFL);
    return 0;
  });
  expect_well(second);
  EXPECT_THAT(second.out, Not(HasSubstr("the end")));
}

// The kernel counts them from the same number in each process.
TEST_F(Survival, TimersOfAnEarlierProcessAreRefused) {
  expect_well(second_life([] {
    sigevent quiet{};
    quiet.sigev_notify = SIGEV_NONE;
    timer_t timer{};
    EXPECT_IN_CHILD(::timer_create(CLOCK_MONOTONIC, &quiet, &timer) == 0);
    EXPECT_IN_CHILD(::timer_getoverrun(timer) == 0);
    die_here();
    timer_t mine{};
    EXPECT_IN_CHILD(::timer_create(CLOCK_MONOTONIC, &quiet, &mine) == 0);
    itimerspec time{.it_interval = {}, .it_value = {.tv_sec = 3600, .tv_nsec = 0}};
    EXPECT_IN_CHILD(::timer_settime(mine, 0, &time, nullptr) == 0);
    EXPECT_IN_CHILD(::timer_gettime(timer, &time) == -1 && errno == EINVAL);
    EXPECT_IN_CHILD(::timer_settime(timer, 0, &time, nullptr) == -1 && errno == EINVAL);
    EXPECT_IN_CHILD(::timer_getoverrun(timer) == -1 && errno == EINVAL);
    EXPECT_IN_CHILD(::timer_delete(timer) == -1 && errno == EINVAL);
    EXPECT_IN_CHILD(::timer_gettime(mine, &time) == 0 && time.it_value.tv_sec > 3500);
    EXPECT_IN_CHILD(::timer_delete(mine) == 0);
    EXPECT_IN_CHILD(::timer_delete(mine) == -1 && errno == EINVAL);
    return 0;
  }));
}

#ifndef REVENANT_SANITIZED  // popen's stream is its libc's
TEST_F(Survival, ProgramsThatAnEarlierProcessStartedAreNotKnown) {
  const auto main = [started = file("started")] {
    char shell[] = "sh";
    char option[] = "-c";
    char script[] = "read line";
    char* const arguments[] = {shell, option, script, nullptr};
    pid_t child = 0;
    EXPECT_IN_CHILD(::posix_spawnp(&child, shell, nullptr, nullptr, arguments, environ) == 0);
    std::FILE* const piped = ::popen(script, "r");
    int error = 0;
    thread waiting([&] {
      int (*const run_shell)(const char*) = std::system;
      error = run_shell(("echo > " + started + "; read line").c_str()) == -1 ? errno : 0;
    });
    while (::access(started.c_str(), F_OK) != 0) this_thread::sleep_for(1ms);
    this_thread::sleep_for(20ms);
    die_here();
    waiting.join();
    EXPECT_IN_CHILD(error == ECHILD);
    int status = 0;
    EXPECT_IN_CHILD(::waitpid(child, &status, 0) == -1 && errno == ECHILD);
    EXPECT_IN_CHILD(::pclose(piped) == -1 && errno == EBADF);
    return 0;
  };
  {
    ChildProgram first(store(), main);
    ASSERT_TRUE(first.says("ready"));
    first.kill();
    first.close_stdin();  // of its children, too, which end by that
  }
  ChildProgram second(store(), main);
  second.close_stdin();
  expect_well(second.wait());
}
#endif

}  // namespace
}  // namespace revenant::testing
