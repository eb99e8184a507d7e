#include "runtime/host/program_clock.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec time{};
  ProgramClock::read(clock, time);
  return time.tv_sec * 1'000'000'000ll + time.tv_nsec;
}

}  // namespace

std::int64_t ProgramClock::host_monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }
std::int64_t ProgramClock::wall_now_ns() { return read_clock(CLOCK_REALTIME); }

int ProgramClock::read(clockid_t clock, timespec& time) {
  // The host's own: the wrapped one answers green threads with this class's time.
  const int saved = errno;
  const int result = __real_clock_gettime(clock, &time);
  if (result == 0 || errno != EFAULT) return result;
  static thread_local timespec outside;
  if (__real_clock_gettime(clock, &outside) != 0) return -1;
  time = outside;
  errno = saved;
  return 0;
}

void ProgramClock::resume(const SavedTime& saved) {
  const std::int64_t dead_ns = std::max<std::int64_t>(0, wall_now_ns() - saved.wall_ns);
  offset_ns_ = saved.program_ns + dead_ns - host_monotonic_ns();  // I1
}

}  // namespace revenant::runtime
