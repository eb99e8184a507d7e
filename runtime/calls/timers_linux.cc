// POSIX timers of green threads. They end with the process, and the kernel numbers them from the
// start in the next one: so an id that is kept says which start it is of.
//
//   timer_t:   0 | generation ... | the kernel's number
//   bits:     63 | 62 ......... 32 | 31 ............. 0
//
// One of an earlier start is refused with EINVAL, as one that was deleted. Those that nobody green
// has made are as libc gives them: without a generation, or with bit 63 set (SIGEV_THREAD).
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <optional>

#include "runtime/calls/argument_bounce.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"
#include "runtime/machine.h"

namespace revenant::runtime {
namespace {

constexpr int kNumberBits = 32;
constexpr std::uint64_t kMostGenerations = std::uint64_t{1} << 31;

std::uint64_t generation_bits() {
  return Machine::instance().generation() % kMostGenerations << kNumberBits;
}

// Empty, with errno set, where it is of an earlier start.
std::optional<timer_t> known(timer_t timer) {
  const auto id = reinterpret_cast<std::uintptr_t>(timer);
  const std::uint64_t number = id % (std::uint64_t{1} << kNumberBits);
  if (id == number || id >> 63 != 0) return timer;
  if (id - number != generation_bits()) return errno = EINVAL, std::nullopt;
  return reinterpret_cast<timer_t>(number);
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

// A timer that runs a function does so on a thread of libc's, which would run green code without
// being green.
int __wrap_timer_create(clockid_t clock, sigevent* event, timer_t* timer) {
  if (green_caller() == nullptr) return __real_timer_create(clock, event, timer);
  if (event != nullptr && event->sigev_notify == SIGEV_THREAD) return errno = ENOTSUP, kRefused;
  return with_values(event, 1, [&](const sigevent* wanted) {
    timer_t made{};
    const int result = with_result(&made, [&](timer_t* number) {
      return __real_timer_create(clock, const_cast<sigevent*>(wanted), number);
    });
    if (result != 0) return result;
    *timer = reinterpret_cast<timer_t>(reinterpret_cast<std::uintptr_t>(made) | generation_bits());
    return 0;
  });
}

int __wrap_timer_settime(timer_t timer, int flags, const itimerspec* wanted, itimerspec* before) {
  const std::optional<timer_t> number = known(timer);
  if (!number) return kRefused;
  return with_values(wanted, 1, [&](const itimerspec* given) {
    return with_result(
        before, [&](itimerspec* was) { return __real_timer_settime(*number, flags, given, was); });
  });
}

int __wrap_timer_gettime(timer_t timer, itimerspec* left) {
  const std::optional<timer_t> number = known(timer);
  if (!number) return kRefused;
  return with_result(left, [&](itimerspec* now) { return __real_timer_gettime(*number, now); });
}

int __wrap_timer_getoverrun(timer_t timer) {
  const std::optional<timer_t> number = known(timer);
  return number ? __real_timer_getoverrun(*number) : kRefused;
}

int __wrap_timer_delete(timer_t timer) {
  const std::optional<timer_t> number = known(timer);
  return number ? __real_timer_delete(*number) : kRefused;
}

}  // extern "C"
