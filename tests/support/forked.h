// Something done by another process than the test's.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace revenant::testing {

// The exit status of `body`, run in a child; -1 when a signal ended it.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace revenant::testing
