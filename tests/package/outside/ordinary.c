// Runs the work as an ordinary process.
#include <stdarg.h>
#include <stdio.h>

#include "life.h"

void step(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
}

int main(void) {
  work();
  return 0;
}
