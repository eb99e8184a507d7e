#include "runtime/host/log.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace revenant::runtime {
namespace {

char program_name[64] = "revenant";

}  // namespace

void set_log_name(const char* program) {
  std::snprintf(program_name, sizeof program_name, "%s", program);
}

void log_line(const char* format, ...) {
  char text[2048];
  const int capacity = static_cast<int>(sizeof text) - 1;
  int used = std::snprintf(text, sizeof text, "%s: ", program_name);
  va_list arguments;
  va_start(arguments, format);
  used += std::max(
      0, std::vsnprintf(text + used, sizeof text - static_cast<unsigned>(used), format, arguments));
  va_end(arguments);
  used = std::min(used, capacity);
  text[used++] = '\n';
  // Raw: write(2) of green threads is redirected, and this may run beside them.
  ::syscall(SYS_write, STDERR_FILENO, text, static_cast<unsigned>(used));
}

}  // namespace revenant::runtime
