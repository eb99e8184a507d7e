#include "base/check.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace revenant::base {
namespace {

// Prints "FILE:LINE: check failed: CONDITION[: FACTS]", cut where it does not fit.
[[noreturn]] void print_and_abort(const char* file, int line, const char* condition,
                                  const char* format, va_list facts) {
  char text[1024];
  constexpr int kLongest = sizeof text - 1;  // leaves room for the newline
  int used = std::snprintf(text, kLongest, "%s:%d: check failed: %s%s", file, line, condition,
                           format != nullptr ? ": " : "");
  used = std::clamp(used, 0, kLongest - 1);
  if (format != nullptr) {
    const int more =
        std::vsnprintf(text + used, static_cast<std::size_t>(kLongest - used), format, facts);
    used = std::min(used + std::max(more, 0), kLongest - 1);
  }
  text[used++] = '\n';
  (void)!::syscall(SYS_write, STDERR_FILENO, text, used);
  std::abort();
}

}  // namespace

void check_failed(const char* file, int line, const char* condition) {
  va_list none{};
  print_and_abort(file, line, condition, nullptr, none);
}

void check_failed(const char* file, int line, const char* condition, const char* format, ...) {
  va_list facts;
  va_start(facts, format);
  print_and_abort(file, line, condition, format, facts);
}

}  // namespace revenant::base
