// without_userfaultfd PROGRAM [ARGUMENT ...]: runs it as a container's default seccomp profile
// would, where userfaultfd is refused with EPERM.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tests/support/refused_call.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "without_userfaultfd: name a program to run\n");
    return 2;
  }
  revenant::testing::refuse_call(SYS_userfaultfd, EPERM);
  ::execvp(argv[1], argv + 1);
  std::fprintf(stderr, "without_userfaultfd: %s: %s\n", argv[1], std::strerror(errno));
  return 127;
}
