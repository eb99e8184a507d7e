// open's third argument, for all its names.
#pragma once

#include <fcntl.h>

#include <cstdarg>

namespace revenant::runtime {

// The mode, if the flags say that there is one.
inline mode_t mode_of(int flags, va_list arguments) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? va_arg(arguments, mode_t) : 0;
}

}  // namespace revenant::runtime
