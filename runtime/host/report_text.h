// The text of a crash report, put together where nothing can be allocated.
//
// One block, so that it leaves in one write. What does not fit is written early.
//
// Threads: one at a time. May be used in a signal handler.
#pragma once

#include <cstddef>

namespace revenant::runtime {

class ReportText {
 public:
  // Appends (printf syntax).
  void add(const char* format, ...) __attribute__((format(printf, 2, 3)));
  // Writes all to stderr, and empties it.
  void flush();

 private:
  char text_[std::size_t{32} * 1024];
  std::size_t used_ = 0;
};

}  // namespace revenant::runtime
