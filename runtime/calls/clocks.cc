// Time, as green threads see it: monotonic clocks are the program's, which goes on over restarts,
// and a sleep parks the green thread only.
//
// The wall clock is read in place, for libc mostly does so in the program's own mode (vdso), and
// elsewhere where the kernel is called and refuses.
#include "runtime/calls/clocks.h"

#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/calls/argument_bounce.h"
#include "runtime/calls/blocking.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

constexpr long kSecondInNs = 1'000'000'000;
// More than this is for ever.
constexpr std::int64_t kLongestS = kNoDeadline / kSecondInNs - 1;

bool is_monotonic(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

bool is_wall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

bool is_valid(const timespec& time) {
  return time.tv_nsec >= 0 && time.tv_nsec < kSecondInNs && time.tv_sec >= 0;
}

// 0 or an errno value, as clock_nanosleep.
int green_sleep(clockid_t clock, int flags, const timespec& time) {
  if (!is_valid(time)) return EINVAL;
  if (clock != CLOCK_REALTIME && clock != CLOCK_TAI && !is_monotonic(clock)) return EINVAL;
  sleep_until((flags & TIMER_ABSTIME) != 0 ? deadline_at(clock, time) : deadline_in(time));
  return 0;
}

}  // namespace

Deadline deadline_at(clockid_t clock, const timespec& time) {
  if (time.tv_sec > kLongestS) return {};
  const std::int64_t s = std::max<std::int64_t>(time.tv_sec, 0);
  return {.ns = s * kSecondInNs + time.tv_nsec, .wall = !is_monotonic(clock)};
}

Deadline deadline_in(const timespec& duration) {
  if (duration.tv_sec > kLongestS) return {};
  return deadline_in(std::chrono::seconds(std::max<std::int64_t>(duration.tv_sec, 0)) +
                     std::chrono::nanoseconds(duration.tv_nsec));
}

std::int64_t left_ns(const Deadline& deadline) {
  if (deadline.ns == kNoDeadline) return kNoDeadline;
  const std::int64_t now_ns =
      deadline.wall ? ProgramClock::wall_now_ns() : Machine::instance().clock().now_ns();
  return std::max<std::int64_t>(deadline.ns - now_ns, 0);
}

}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  if (green_caller() == nullptr) return __real_clock_gettime(clock, time);
  if (is_wall(clock)) return ProgramClock::read(clock, *time);
  if (!is_monotonic(clock)) {
    return with_result(time, [&](timespec* now) { return __real_clock_gettime(clock, now); });
  }
  const std::int64_t now_ns = Machine::instance().clock().now_ns();
  *time = {.tv_sec = now_ns / kSecondInNs, .tv_nsec = now_ns % kSecondInNs};
  return 0;
}

int __wrap_gettimeofday(timeval* time, void* zone) {
  if (green_caller() == nullptr || time == nullptr || zone != nullptr) {
    return __real_gettimeofday(time, zone);
  }
  timespec now{};
  if (ProgramClock::read(CLOCK_REALTIME, now) != 0) return kRefused;
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

time_t __wrap_time(time_t* seconds) {
  if (green_caller() == nullptr) return __real_time(seconds);
  const time_t now = __real_time(nullptr);
  if (seconds != nullptr) *seconds = now;
  return now;
}

int __wrap_timespec_get(timespec* time, int base) {
  if (green_caller() == nullptr || base != TIME_UTC) return __real_timespec_get(time, base);
  return ProgramClock::read(CLOCK_REALTIME, *time) == 0 ? base : 0;
}

int __wrap_nanosleep(const timespec* time, timespec* left) {
  if (green_caller() == nullptr) return __real_nanosleep(time, left);
  const int error = green_sleep(CLOCK_MONOTONIC, 0, *time);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  if (green_caller() == nullptr) return __real_clock_nanosleep(clock, flags, time, left);
  return green_sleep(clock, flags, *time);
}

int __wrap_usleep(useconds_t us) {
  if (green_caller() == nullptr) return __real_usleep(us);
  sleep_until(deadline_in(std::chrono::microseconds(us)));
  return 0;
}

unsigned __wrap_sleep(unsigned seconds) {
  if (green_caller() == nullptr) return __real_sleep(seconds);
  sleep_until(deadline_in(std::chrono::seconds(seconds)));
  return 0;
}

int __wrap_sched_yield() {
  if (green_caller() == nullptr) return __real_sched_yield();
  Machine::instance().scheduler().yield();
  return 0;
}

}  // extern "C"
