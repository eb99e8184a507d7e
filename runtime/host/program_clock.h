// The program's monotonic time: it goes on over restarts, and counts the time the program was dead.
//
//   process 1          dead          process 2
//   |--------------|............|------------------>
//   now() = CLOCK_MONOTONIC + offset, with another offset in each process
//
// I1  now() never goes back, over a restart too.
//
// The time spent dead is measured by the wall clock, since the monotonic one starts anew with the
// host; a wall clock set back counts as no time at all. Thread-safe after construction or resume().
#pragma once

#include <time.h>

#include <cstdint>

namespace revenant::runtime {

// What a snapshot remembers of time.
struct SavedTime {
  std::int64_t program_ns = 0;
  std::int64_t wall_ns = 0;
};

class ProgramClock {
 public:
  [[nodiscard]] std::int64_t now_ns() const { return host_monotonic_ns() + offset_ns_; }
  [[nodiscard]] SavedTime save() const { return {now_ns(), wall_now_ns()}; }
  // Goes on from `saved`. Called once, before any green thread runs.
  void resume(const SavedTime& saved);

  static std::int64_t host_monotonic_ns();
  static std::int64_t wall_now_ns();
  // clock_gettime of the host's clocks, wherever `time` lies. libc mostly reads them in the
  // program's own mode (vdso); where it has to call the kernel, that finds pages of the space
  // missing or protected.
  static int read(clockid_t clock, timespec& time);

 private:
  std::int64_t offset_ns_ = 0;  // 0 in a store's first process: both clocks then agree
};

}  // namespace revenant::runtime
