// Text on stdout, in one piece.
#pragma once

#include <string_view>

namespace revenant::runtime {

// Writes all of `text`, from any thread; 0 or an errno value. Texts of up to PIPE_BUF bytes reach a
// pipe whole. A green thread that a restart cuts off here writes its text again.
int write_to_stdout(std::string_view text);

}  // namespace revenant::runtime
