// Calls whose arguments and answers lie in pages that a restart left missing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>

#include "base/sanitizer.h"
#include "tests/runtime/child_program.h"
#include "tests/runtime/in_child.h"
#include "tests/support/temporary_directory.h"

#ifndef REVENANT_SANITIZED
// Where a static libc keeps what it has found of the vdso. Its names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {
extern int (*_dl_vdso_clock_gettime64)(clockid_t clock, timespec* time);
extern int (*_dl_vdso_gettimeofday)(timeval* time, void* zone);
extern std::time_t (*_dl_vdso_time)(std::time_t* time);
}
// NOLINTEND(readability-identifier-naming)
#endif

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

// One to a page, so that no answer brings the next one's page.
template <class T>
struct alignas(4096) Page {
  T value{};
};

struct Arguments {
  Page<std::array<char, 64>> name;
  Page<std::array<char, 64>> other_name;
  Page<struct statx> status;
  Page<std::array<char, 64>> text;
  Page<itimerspec> time;
  Page<itimerspec> time_before;
  Page<sigevent> event;
  Page<timer_t> timer;
  Page<timespec> processor_time;
  Page<termios> settings;
  Page<rlimit> limit;
  Page<std::array<char, 256>> events;

  Arguments() {
    std::string("name").copy(name.value.data(), 4);
    std::string("other").copy(other_name.value.data(), 5);
    time.value.it_value.tv_sec = 3600;
    event.value.sigev_notify = SIGEV_NONE;
  }
};

int use_paths(Arguments& all, int directory) {
  const char* name = all.name.value.data();
  const char* other = all.other_name.value.data();
  EXPECT_IN_CHILD(::mkdirat(directory, name, 0700) == 0);
  EXPECT_IN_CHILD(::renameat(directory, name, directory, other) == 0);
  EXPECT_IN_CHILD(::symlinkat(other, directory, name) == 0);
  EXPECT_IN_CHILD(::faccessat(directory, name, F_OK, 0) == 0);
  EXPECT_IN_CHILD(::readlinkat(directory, name, all.text.value.data(), 64) == 5);
  EXPECT_IN_CHILD(all.text.value.data() == std::string("other"));
  EXPECT_IN_CHILD(::statx(directory, other, 0, STATX_BASIC_STATS, &all.status.value) == 0);
  EXPECT_IN_CHILD(S_ISDIR(all.status.value.stx_mode));
  const int memory = ::memfd_create(name, MFD_CLOEXEC);
  EXPECT_IN_CHILD(::write(memory, "x", 1) == 1);
  EXPECT_IN_CHILD(::close(memory) == 0);
  return 0;
}

int use_events(Arguments& all, int directory) {
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
  EXPECT_IN_CHILD(::timerfd_settime(timer, 0, &all.time.value, &all.time_before.value) == 0);
  EXPECT_IN_CHILD(all.time_before.value.it_value.tv_sec == 0);
  EXPECT_IN_CHILD(::timerfd_gettime(timer, &all.time_before.value) == 0);
  EXPECT_IN_CHILD(all.time_before.value.it_value.tv_sec > 3500);
  const int inotify = ::inotify_init1(0);
  EXPECT_IN_CHILD(::fchdir(directory) == 0);
  EXPECT_IN_CHILD(::inotify_add_watch(inotify, all.other_name.value.data(), IN_CREATE) >= 0);
  EXPECT_IN_CHILD(::close(::openat(directory, "other/made", O_CREAT | O_WRONLY, 0600)) == 0);
  EXPECT_IN_CHILD(::read(inotify, all.events.value.data(), 256) > 0);
  const auto* event = reinterpret_cast<const inotify_event*>(all.events.value.data());
  EXPECT_IN_CHILD(event->name == std::string("made"));
  return 0;
}

int use_clocks(Arguments& all) {
  EXPECT_IN_CHILD(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all.processor_time.value) == 0);
  EXPECT_IN_CHILD(all.processor_time.value.tv_nsec > 0);
  EXPECT_IN_CHILD(::timer_create(CLOCK_REALTIME, &all.event.value, &all.timer.value) == 0);
  EXPECT_IN_CHILD(::timer_settime(all.timer.value, 0, &all.time.value, &all.time_before.value) ==
                  0);
  EXPECT_IN_CHILD(::timer_gettime(all.timer.value, &all.time_before.value) == 0);
  EXPECT_IN_CHILD(all.time_before.value.it_value.tv_sec > 3500);
  EXPECT_IN_CHILD(::timer_delete(all.timer.value) == 0);
  // It would run a function of the program's on a thread of libc's.
  all.event.value.sigev_notify = SIGEV_THREAD;
  EXPECT_IN_CHILD(::timer_create(CLOCK_REALTIME, &all.event.value, &all.timer.value) == -1);
  EXPECT_IN_CHILD(errno == ENOTSUP);
  return 0;
}

int use_terminal(Arguments& all, int terminal) {
  EXPECT_IN_CHILD(::isatty(terminal) == 1);
  EXPECT_IN_CHILD(::tcgetattr(terminal, &all.settings.value) == 0);
  all.settings.value.c_lflag ^= ECHO;
  const tcflag_t wanted = all.settings.value.c_lflag;
  EXPECT_IN_CHILD(::tcsetattr(terminal, TCSANOW, &all.settings.value) == 0);
  all.settings.value.c_lflag = 0;
  EXPECT_IN_CHILD(::tcgetattr(terminal, &all.settings.value) == 0);
  EXPECT_IN_CHILD(all.settings.value.c_lflag == wanted);
  return 0;
}

int use_host(Arguments& all, unsigned processors) {
  // A root without a mounted devpts makes no terminals.
  const int terminal = ::open("/dev/ptmx", O_RDWR | O_NOCTTY);
  EXPECT_IN_CHILD(terminal >= 0 || errno == ENODEV || errno == ENOENT);
  if (terminal >= 0) {
    if (const int failed = use_terminal(all, terminal)) return failed;
  }
  EXPECT_IN_CHILD(::tcgetattr(STDIN_FILENO, &all.settings.value) == -1 && errno == ENOTTY);
  EXPECT_IN_CHILD(::getrlimit(RLIMIT_NOFILE, &all.limit.value) == 0);
  EXPECT_IN_CHILD(all.limit.value.rlim_cur > 0);
  EXPECT_IN_CHILD(std::thread::hardware_concurrency() == processors);
  return 0;
}

TEST(MissingPages, AreReadAndFilledByCallsOfAllKinds) {
  const TemporaryDirectory directory;
  const std::string path = directory.path().string();
  const auto main = [path, processors = std::thread::hardware_concurrency()] {
    const auto all = std::make_unique<Arguments>();
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT_IN_CHILD(folder >= 0);
    if (const int failed = use_paths(*all, folder)) return failed;
    if (const int failed = use_events(*all, folder)) return failed;
    if (const int failed = use_clocks(*all)) return failed;
    return use_host(*all, processors);
  };
  {
    ChildProgram first(directory / "store", main);
    ASSERT_TRUE(first.says("ready"));
    first.kill();
  }
  const Ended ended = run_to_end(directory / "store", main);
  EXPECT_EQ(ended.exit_code(), 0) << ended.out << ended.err;
}

#ifndef REVENANT_SANITIZED  // their libc is shared and keeps these to itself
// With a clock source that the kernel does not read in the program's own mode, it fills in the
// time itself.
void read_clocks_by_system_calls() {
  const auto found = reinterpret_cast<std::uintptr_t>(&_dl_vdso_clock_gettime64) & -4096ul;
  ASSERT_EQ(::mprotect(reinterpret_cast<void*>(found), 8192, PROT_READ | PROT_WRITE), 0);
  _dl_vdso_clock_gettime64 = nullptr;
  _dl_vdso_gettimeofday = nullptr;
  _dl_vdso_time = nullptr;
}

int take_times() {
  // None of its pages is there yet, nor any that fell beside one that is.
  const auto untouched = std::make_unique_for_overwrite<char[]>(4 << 20);
  char* page = untouched.get() + (1 << 20);
  const auto next_page = [&] { return page += 65536; };
  const auto now = reinterpret_cast<timespec*>(next_page());
  EXPECT_IN_CHILD(::clock_gettime(CLOCK_REALTIME, now) == 0);
  EXPECT_IN_CHILD(now->tv_sec > 1'000'000'000);
  const auto near = [&](std::time_t s) { return std::abs(s - now->tv_sec) < 60; };
  const auto coarse = reinterpret_cast<timespec*>(next_page());
  EXPECT_IN_CHILD(::clock_gettime(CLOCK_REALTIME_COARSE, coarse) == 0 && near(coarse->tv_sec));
  const auto standard = reinterpret_cast<timespec*>(next_page());
  EXPECT_IN_CHILD(::timespec_get(standard, TIME_UTC) == TIME_UTC && near(standard->tv_sec));
  const auto day = reinterpret_cast<timeval*>(next_page());
  EXPECT_IN_CHILD(::gettimeofday(day, nullptr) == 0 && near(day->tv_sec));
  const auto seconds = reinterpret_cast<std::time_t*>(next_page());
  EXPECT_IN_CHILD(near(::time(seconds)) && near(*seconds));
  return 0;
}

TEST(MissingPages, ArePlacesForTheTimeWithoutAVdso) {
  const TemporaryDirectory directory;
  ChildProgram child([&] {
    read_clocks_by_system_calls();
    options chosen;
    chosen.store = directory / "store";
    return run(chosen, take_times);
  });
  const Ended ended = child.wait();
  EXPECT_EQ(ended.exit_code(), 0) << ended.out << ended.err;
}
#endif

}  // namespace
}  // namespace revenant::testing
