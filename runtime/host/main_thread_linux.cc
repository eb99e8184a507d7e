#include "runtime/host/main_thread_linux.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/check.h"
#include "runtime/host/log.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {
namespace {

sigset_t ending_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

void tell_the_way_out(int) {
  static constexpr char kText[] =
      "a last snapshot is being taken; SIGQUIT (Ctrl-\\) ends the program without it\n";
  const int saved = errno;
  (void)!__real_write(STDERR_FILENO, kText, sizeof kText - 1);
  errno = saved;
}

// Whoever presses Ctrl-C again is told what else there is; timeout sends SIGTERM twice.
void pass_over_further_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = tell_the_way_out;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  MainThread::let_signals_go();
}

}  // namespace

// Not ignored: programs that it starts would inherit that.
void MainThread::survive_file_limits() {
  struct sigaction action {};
  if (::sigaction(SIGXFSZ, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGXFSZ, &action, nullptr);
}

void MainThread::hold_signals() {
  const sigset_t signals = ending_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

void MainThread::let_signals_go() {
  const sigset_t signals = ending_signals();
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

base::Status MainThread::open() {
  const sigset_t signals = ending_signals();
  signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signals_ >= 0 && wake_ >= 0) return {};
  return base::Error{base::ErrorCode::kUnsupportedHost, std::string("cannot wait for signals: ") +
                                                            std::strerror(errno) +
                                                            "; raise RLIMIT_NOFILE (ulimit -n)"};
}

MainEvent MainThread::wait_for_event() {
  for (;;) {
    std::array<pollfd, 2> waited{{{signals_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    __real_poll(waited.data(), waited.size(), -1);
    if ((waited[0].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      (void)!__real_read(signals_, &info, sizeof info);
      pass_over_further_signals();  // I1
      return {.kind = MainEvent::Kind::kSignal};
    }
    if ((waited[1].revents & POLLIN) == 0) continue;
    std::uint64_t count = 0;
    (void)!__real_read(wake_, &count, sizeof count);
    serve();
    const base::LockGuard guard(lock_);
    if (ended_) return end_;
  }
}

void MainThread::serve() {
  const base::LockGuard guard(lock_);
  if (request_ == nullptr) return;
  request_->function(request_->context);
  request_->served = true;
  request_ = nullptr;
  served_.notify_all();
}

bool MainThread::execute(void (*function)(void*), void* context) {
  Request request{function, context};
  const base::LockGuard guard(lock_);
  while (request_ != nullptr && !closed_) served_.wait(lock_);
  if (closed_) return false;
  request_ = &request;
  wake();
  while (!request.served && !closed_) served_.wait(lock_);
  return request.served;
}

// Nobody waits for what will not be done any more.
void MainThread::close() {
  const base::LockGuard guard(lock_);
  closed_ = true;
  request_ = nullptr;
  served_.notify_all();
}

void MainThread::post_end(MainEvent end) {
  const base::LockGuard guard(lock_);
  ended_ = true;
  end_ = end;
  wake();
}

void MainThread::wake() {
  static constexpr std::uint64_t kOne = 1;
  // Past the redirection of green threads' calls: they may not touch the runtime's descriptors.
  (void)!__real_write(wake_, &kOne, sizeof kOne);
}

}  // namespace revenant::runtime
