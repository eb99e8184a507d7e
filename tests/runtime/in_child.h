// Expectations inside a program that runs in a child process.
#pragma once

#include <cerrno>

#include "revenant/revenant.h"

// Ends the child's main with 1 and a line that names what failed.
#define EXPECT_IN_CHILD(condition)                                                \
  do {                                                                            \
    if (!(condition)) {                                                           \
      ::revenant::print("line {}: " #condition " (errno {})\n", __LINE__, errno); \
      return 1;                                                                   \
    }                                                                             \
  } while (false)
