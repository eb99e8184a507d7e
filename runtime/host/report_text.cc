#include "runtime/host/report_text.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace revenant::runtime {

void ReportText::add(const char* format, ...) {
  constexpr std::size_t kLongestPiece = 4096;
  if (sizeof text_ - used_ < kLongestPiece) flush();
  va_list arguments;
  va_start(arguments, format);
  const int written = std::vsnprintf(text_ + used_, kLongestPiece, format, arguments);
  va_end(arguments);
  used_ += static_cast<std::size_t>(std::clamp(written, 0, static_cast<int>(kLongestPiece) - 1));
}

void ReportText::flush() {
  // Raw: write(2) of green threads is redirected, and the process is ending.
  (void)!::syscall(SYS_write, STDERR_FILENO, text_, used_);
  used_ = 0;
}

}  // namespace revenant::runtime
