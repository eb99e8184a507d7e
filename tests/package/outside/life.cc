// Runs the work as a program that goes on.
#include "life.h"

#include <revenant/revenant.h>
#include <unistd.h>

#include <csignal>
#include <cstdarg>
#include <cstdio>

void step(const char* format, ...) {
  char line[200];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  revenant::print("{}\n", line);
  const std::uint64_t generation = revenant::generation();
  revenant::sync();
  if (revenant::generation() == generation) ::kill(::getpid(), SIGKILL);
}

int main(int argc, char** argv) {
  return revenant::run(argc, argv, [] { work(); });
}
