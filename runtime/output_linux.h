// Text on stdout, in one piece.
#pragma once

#include <cerrno>
#include <string_view>
#include <system_error>

namespace revenant::runtime {

// Writes all of `text`, from any thread; 0 or an errno value. Texts of up to PIPE_BUF bytes reach a
// pipe whole. A green thread that a restart cuts off here writes its text again.
int write_to_stdout(std::string_view text);

// Nobody reads stdout any more. Uncaught it ends the program with a sentence, and no backtrace.
class ClosedOutput : public std::system_error {
 public:
  ClosedOutput()
      : std::system_error(EPIPE, std::generic_category(), "print: stdout cannot be written") {}
};

}  // namespace revenant::runtime
