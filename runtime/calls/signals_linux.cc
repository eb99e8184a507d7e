// Signals, as green threads handle, block and raise them.
//
// Handlers run on the process's main thread: workers block all signals but those of faults. They
// get an alternate stack where there is one, since the kernel cannot put a frame on a green
// thread's stack while its page is missing.
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/calls/green_caller.h"
#include "runtime/elsewhere.h"
#include "runtime/host/log.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// The signals by which missing and protected pages come.
bool is_the_spaces(int signal) { return signal == SIGBUS || signal == SIGSEGV; }

// Without the space's signals: a thread that blocked them would be killed by its next missing page.
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

struct ActionCall {
  ActionCall(int of, const struct sigaction* asked) : signal(of), sets(asked != nullptr) {
    if (!sets) return;
    wanted = *asked;
    const bool handles = wanted.sa_handler != SIG_DFL && wanted.sa_handler != SIG_IGN;
    if (handles) wanted.sa_flags |= SA_ONSTACK;
  }
  void run() {
    error = __real_sigaction(signal, sets ? &wanted : nullptr, &before) == 0 ? 0 : errno;
  }

  int signal;
  bool sets;
  struct sigaction wanted {};
  struct sigaction before {};
  int error = 0;
};

int green_action(int signal, const struct sigaction* wanted, struct sigaction* before) {
  if (wanted != nullptr && is_the_spaces(signal)) {
    log_line(
        "a green thread asked to handle SIGSEGV or SIGBUS, by which the pages of persistent "
        "memory come; leave both to the runtime");
    errno = EINVAL;
    return -1;
  }
  for (;;) {
    Elsewhere<ActionCall> call(signal, wanted);
    if (!call.run()) continue;
    if (call->error != 0) return errno = call->error, -1;
    if (before != nullptr) *before = call->before;
    return 0;
  }
}

// The worker's alternate stack is where its green threads' missing pages are served. They have none
// of their own, and need none: the program's handlers do not run on them.
int green_alternate_stack(const stack_t* wanted, stack_t* before) {
  if (wanted != nullptr && (wanted->ss_flags & SS_DISABLE) == 0) {
    log_line(
        "a green thread asked for an alternate signal stack, in place of the one on which its "
        "missing pages are served; signal handlers run on the main thread, and need none here");
    errno = EPERM;
    return -1;
  }
  if (before != nullptr) *before = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  return 0;
}

// Those that workers do not block: they concern the thread that causes them, as abort's does.
bool is_threads_own(int signal) {
  return is_the_spaces(signal) || signal == SIGABRT || signal == SIGFPE || signal == SIGILL ||
         signal == SIGTRAP || signal == SIGSYS;
}

struct Raise {
  int signal;
  int result = -1;

  static void run(void* context) {
    auto& raised = *static_cast<Raise*>(context);
    raised.result = __real_raise(raised.signal);
  }
};

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

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

int __wrap_sigaction(int signal, const struct sigaction* wanted, struct sigaction* before) {
  if (green_caller() == nullptr) return __real_sigaction(signal, wanted, before);
  return green_action(signal, wanted, before);
}

sighandler_t __wrap_signal(int signal, sighandler_t handler) {
  if (green_caller() == nullptr) return __real_signal(signal, handler);
  struct sigaction wanted {};
  struct sigaction before {};
  wanted.sa_handler = handler;
  wanted.sa_flags = SA_RESTART;
  return green_action(signal, &wanted, &before) == 0 ? before.sa_handler : SIG_ERR;
}

int __wrap_sigaltstack(const stack_t* wanted, stack_t* before) {
  if (green_caller() == nullptr) return __real_sigaltstack(wanted, before);
  return green_alternate_stack(wanted, before);
}

// On the main thread, where the handler runs before this returns.
int __wrap_raise(int signal) {
  if (green_caller() == nullptr || is_threads_own(signal)) return __real_raise(signal);
  Raise raised{signal};
  Machine::instance().main_thread().execute(Raise::run, &raised);
  return raised.result;
}

}  // extern "C"
