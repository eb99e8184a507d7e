// The stack: jumps, variable arguments, memory of frames, depth.
#include <fmt/format.h>

#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <cstring>

#include "constructs.h"

namespace constructs {
namespace {

[[maybe_unused]] __attribute__((noinline)) int jump_from(std::jmp_buf& target, int depth) {
  const int below = depth > 0 ? jump_from(target, depth - 1) : 0;
  moment();
  if (depth == 0) std::longjmp(target, 9);
  return below + depth;
}

// TSan keeps a table of jump buffers that a new process does not have.
#ifdef __SANITIZE_THREAD__
std::string jumps() { return "none"; }
#else
std::string jumps() {
  std::jmp_buf target;
  volatile int jumped = 0;
  const int got = setjmp(target);
  if (got == 0) {
    moment();
    jump_from(target, 5);
  }
  jumped = jumped + 1;
  if (jumped < 4) {
    moment();
    std::longjmp(target, jumped + 10);
  }
  sigjmp_buf with_signals;
  volatile int second = 0;
  if (sigsetjmp(with_signals, 1) == 0) {
    moment();
    second = 1;
    siglongjmp(with_signals, 1);
  }
  return fmt::format("{} jumps, last {}, {}", jumped, got, second);
}
#endif

__attribute__((format(printf, 1, 2))) std::string formatted(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  char buffer[200];
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  const std::string first = buffer;
  moment();
  std::vsnprintf(buffer, sizeof buffer, format, again);  // the list was kept meanwhile
  va_end(again);
  REQUIRE(first == buffer);
  return first;
}

double sum_of(int count, ...) {
  std::va_list arguments;
  va_start(arguments, count);
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    sum += va_arg(arguments, double);
    moment();
  }
  va_end(arguments);
  return sum;
}

std::string variable_arguments() {
  return formatted("%d %s %.2f %c %ld %5.1f", 1, "two", 3.0, '4', 5L, 6.5) +
         fmt::format(" {}", sum_of(4, 1.5, 2.5, 3.5, 4.5));
}

std::string memory_of_frames() {
  std::string all;
  for (std::size_t size = 16; size <= 65536; size *= 16) {
    auto* const room = static_cast<char*>(__builtin_alloca(size));
    std::memset(room, static_cast<int>(size % 251), size);
    moment();
    for (std::size_t i = 0; i < size; ++i) REQUIRE(room[i] == static_cast<char>(size % 251));
    all += fmt::format("{} ", size);
  }
  return all;
}

__attribute__((noinline)) long large_frame(int depth) {
  volatile long numbers[20000];  // 160 kB
  for (int i = 0; i < 20000; i += 500) numbers[i] = i + depth;
  moment();
  const long below = depth == 0 ? 0 : large_frame(depth - 1);
  moment();
  long sum = 0;
  for (int i = 0; i < 20000; i += 500) sum += numbers[i];
  return sum + below;
}

std::string large_frames() { return fmt::format("{}", large_frame(5)); }

__attribute__((noinline)) int descend(int depth, std::vector<int>& path) {
  path.push_back(depth);
  const std::string mine = std::to_string(depth);
  if (depth % 500 == 0) moment();
  const int below = depth == 0 ? 0 : descend(depth - 1, path);
  REQUIRE(mine == std::to_string(depth));
  path.pop_back();
  return below + 1;
}

std::string deep_recursion() {
  std::vector<int> path;
  const int depth = descend(2500, path);
  REQUIRE(path.empty());
  return fmt::format("{} deep", depth);
}

unsigned ackermann(unsigned m, unsigned n) {
  if (m == 2 && n == 3) moment();
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

std::string mutual_recursion() { return fmt::format("{}", ackermann(2, 9)); }

}  // namespace

std::vector<Case> frames() {
  return {{"jumps", jumps},
          {"variable_arguments", variable_arguments},
          {"memory_of_frames", memory_of_frames},
          {"large_frames", large_frames},
          {"deep_recursion", deep_recursion},
          {"mutual_recursion", mutual_recursion}};
}

}  // namespace constructs
