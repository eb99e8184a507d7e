// Deadlines of the program's two clocks. Not part of the public surface.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace revenant::detail {

struct deadline {
  std::int64_t ns = std::numeric_limits<std::int64_t>::max();  // never
  bool wall = false;  // nanoseconds since 1970; otherwise of the program's monotonic time
};

[[nodiscard]] std::int64_t program_now_ns();
void sleep(const deadline& until);

// Saturates instead of overflowing: a deadline beyond three hundred years is never.
template <class Rep, class Period>
std::int64_t to_ns(const std::chrono::duration<Rep, Period>& duration) {
  using seconds = std::chrono::duration<long double>;
  const long double ns = std::chrono::duration_cast<seconds>(duration).count() * 1e9L;
  if (!(ns < 9.2e18L)) return std::numeric_limits<std::int64_t>::max();
  if (ns <= 0) return 0;
  return std::chrono::ceil<std::chrono::nanoseconds>(duration).count();
}

template <class Rep, class Period>
deadline deadline_in(const std::chrono::duration<Rep, Period>& duration) {
  const std::int64_t ns = to_ns(duration);
  const std::int64_t now_ns = program_now_ns();
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  return {ns > kNever - now_ns ? kNever : now_ns + ns, false};
}

template <class Clock, class Duration>
deadline deadline_at(const std::chrono::time_point<Clock, Duration>& time) {
  if constexpr (std::is_same_v<Clock, std::chrono::system_clock>) {
    return {to_ns(time.time_since_epoch()), true};
  } else if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    return {to_ns(time.time_since_epoch()), false};
  } else {
    return deadline_in(time - Clock::now());
  }
}

}  // namespace revenant::detail
