#include "base/check.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace revenant::base {

void check_failed(const char* file, int line, const char* condition, const char* format, ...) {
  char text[1024];
  constexpr int kLongest = sizeof text - 1;  // leaves room for the newline
  int used = std::snprintf(text, kLongest, "%s:%d: check failed: %s%s", file, line, condition,
                           *format != '\0' ? ": " : "");
  used = std::clamp(used, 0, kLongest - 1);
  va_list arguments;
  va_start(arguments, format);
  const int more =
      std::vsnprintf(text + used, static_cast<std::size_t>(kLongest - used), format, arguments);
  va_end(arguments);
  used = std::min(used + std::max(more, 0), kLongest - 1);
  text[used++] = '\n';
  (void)!::syscall(SYS_write, STDERR_FILENO, text, used);
  std::abort();
}

}  // namespace revenant::base
