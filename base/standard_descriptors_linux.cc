#include <fcntl.h>
#include <unistd.h>

#include "base/standard_descriptors.h"

namespace revenant::base {

void open_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest free number is this one.
    if (::open("/dev/null", O_RDWR) < 0) (void)!::open("/", O_PATH);
  }
}

}  // namespace revenant::base
