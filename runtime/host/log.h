// One line on stderr for the person who runs the program.
#pragma once

namespace revenant::runtime {

// Writes "PROGRAM: " and the text (printf syntax) with one write(2). Any thread; volatile memory
// only; not for signal handlers.
void log_line(const char* format, ...) __attribute__((format(printf, 1, 2)));
void set_log_name(const char* program);

}  // namespace revenant::runtime
