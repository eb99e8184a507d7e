// OS threads and child processes, asked for by green threads.
//
// An OS thread of the program's own would touch the space while snapshots are taken, and a forked
// child sees zeros where pages are missing: both are refused with a sentence. Programs are started
// (posix_spawn, system) by a pool thread, from volatile copies of all they are given; what is read
// and written afterwards goes over descriptors.
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/calls/bounce.h"
#include "runtime/calls/green_caller.h"
#include "runtime/calls/offloaded_call.h"
#include "runtime/log.h"
#include "runtime/machine.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// Runs a shell command on a pool thread. After a restart its end is unknown, as after a crash.
struct ShellCall {
  int result;
  int error;

  [[nodiscard]] char* command() { return reinterpret_cast<char*>(this + 1); }
  static void run(void* context) {
    auto& call = *static_cast<ShellCall*>(context);
    // The command gets a mask like the program's own, not that of the runtime's threads.
    sigset_t none;
    sigset_t before;
    ::sigemptyset(&none);
    __real_pthread_sigmask(SIG_SETMASK, &none, &before);
    call.result = __real_system(call.command());
    call.error = errno;
    __real_pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
};

int green_system(const char* command) {
  const std::size_t size = std::strlen(command) + 1;
  void* memory = __real_malloc(sizeof(ShellCall) + size);
  if (memory == nullptr) return -1;
  auto* call = static_cast<ShellCall*>(memory);
  std::memcpy(call->command(), command, size);
  if (!Machine::instance().scheduler().call_offloaded(ShellCall::run, call)) {
    errno = EINTR;  // the block went with the process that made it
    return -1;
  }
  const int result = call->result;
  errno = call->error;
  __real_free(call);
  return result;
}

pid_t green_wait(pid_t child, int* status, int options, rusage* usage) {
  for (;;) {
    OffloadedCall call(sizeof *status + sizeof *usage);
    auto* told = static_cast<int*>(call.data());
    auto* told_usage = told == nullptr ? nullptr : reinterpret_cast<rusage*>(told + 2);
    if (!call.make(SYS_wait4, child, told, options, told_usage)) continue;
    const auto ended = static_cast<pid_t>(call.result());
    if (ended > 0 && status != nullptr) *status = *told;
    if (ended > 0 && usage != nullptr) *usage = *told_usage;
    return ended;
  }
}

// Without the signals by which pages come: a thread that blocked them would be killed by its next
// missing page.
int green_mask(int how, const sigset_t* set, sigset_t* before) {
  static thread_local sigset_t wanted;
  static thread_local sigset_t found;
  if (set != nullptr) {
    wanted = *set;
    for (const int signal : {SIGBUS, SIGSEGV}) ::sigdelset(&wanted, signal);
  }
  const int error = __real_pthread_sigmask(how, set == nullptr ? nullptr : &wanted, &found);
  if (error == 0 && before != nullptr) *before = found;
  return error;
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

int __wrap_system(const char* command) {
  if (green_caller() == nullptr || command == nullptr) return __real_system(command);
  return green_system(command);
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

int __wrap_pthread_sigmask(int how, const sigset_t* set, sigset_t* before) {
  if (green_caller() == nullptr) return __real_pthread_sigmask(how, set, before);
  return green_mask(how, set, before);
}

int __wrap_sigprocmask(int how, const sigset_t* set, sigset_t* before) {
  if (green_caller() == nullptr) return __real_sigprocmask(how, set, before);
  const int error = green_mask(how, set, before);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // extern "C"
