#include "base/check.h"

#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace revenant::base {

void check_failed(const char* file, int line, const char* condition, const char* format, ...) {
  char text[1024];
  const int capacity = static_cast<int>(sizeof text) - 1;
  int used = std::snprintf(text, sizeof text, "%s:%d: check failed: %s: ", file, line, condition);
  used = std::clamp(used, 0, capacity);
  va_list arguments;
  va_start(arguments, format);
  const int more = std::vsnprintf(text + used, sizeof text - static_cast<size_t>(used), format,
                                  arguments);
  va_end(arguments);
  used = std::min(used + std::max(more, 0), capacity);
  text[used++] = '\n';
  (void)!::write(STDERR_FILENO, text, static_cast<size_t>(used));
  std::abort();
}

}  // namespace revenant::base
