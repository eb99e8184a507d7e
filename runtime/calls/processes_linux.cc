// OS threads and children, as green threads ask for them.
//
// An OS thread of the program's own would touch the space while snapshots are taken, and a forked
// child sees zeros where pages are missing: both are refused with a sentence. Other programs are
// another matter (programs_linux.cc); waiting for one parks the green thread.
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/calls/green_caller.h"
#include "runtime/calls/offloaded_call.h"
#include "runtime/host/log.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

struct Told {
  int status;
  rusage usage;
};

pid_t green_wait(pid_t child, int* status, int options, rusage* usage) {
  for (;;) {
    OffloadedCall call(sizeof(Told));
    auto* told = static_cast<Told*>(call.data());
    const bool made =
        told == nullptr || call.make(SYS_wait4, child, &told->status, options, &told->usage);
    if (!made) continue;
    const auto ended = static_cast<pid_t>(call.result());
    if (ended > 0 && status != nullptr) *status = told->status;
    if (ended > 0 && usage != nullptr) *usage = told->usage;
    return ended;
  }
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                          void* (*function)(void*), void* argument) {
  if (green_caller() == nullptr) {
    return __real_pthread_create(thread, attributes, function, argument);
  }
  log_line(
      "a green thread asked for an OS thread (std::thread, pthread_create), which would touch "
      "persistent memory behind the snapshots' back; use revenant::thread");
  return EAGAIN;
}

pid_t __wrap_fork() {
  if (green_caller() == nullptr) return __real_fork();
  log_line(
      "a green thread called fork, whose child would find zeros in persistent memory; start "
      "another program with posix_spawn or system");
  errno = ENOSYS;
  return -1;
}

pid_t __wrap_wait4(pid_t child, int* status, int options, rusage* usage) {
  if (green_caller() == nullptr) return __real_wait4(child, status, options, usage);
  return green_wait(child, status, options, usage);
}

pid_t __wrap_waitpid(pid_t child, int* status, int options) {
  if (green_caller() == nullptr) return __real_waitpid(child, status, options);
  return green_wait(child, status, options, nullptr);
}

pid_t __wrap_wait(int* status) {
  if (green_caller() == nullptr) return __real_wait(status);
  return green_wait(-1, status, 0, nullptr);
}

}  // extern "C"
