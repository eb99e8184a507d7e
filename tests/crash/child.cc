#include "tests/crash/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <system_error>

namespace revenant::crash {
namespace {

constexpr std::size_t kKeptErrorLines = 200;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Pipe {
  int read_end;
  int write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
  return {ends[0], ends[1]};
}

// In the child, between fork and exec: only system calls.
[[noreturn]] void become(char* const* arguments, pid_t parent, int output, int error) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // I2
  if (::getppid() != parent) ::_exit(127);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(error, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

std::string ProcessEnd::describe() const {
  if (exit_code) return "exit code " + std::to_string(*exit_code);
  const char* name = ::sigabbrev_np(signal);
  return "signal SIG" + std::string(name != nullptr ? name : "?");
}

Child::Child(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const Pipe output = make_pipe();
  const Pipe error = make_pipe();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) become(arguments.data(), parent, output.write_end, error.write_end);
  ::close(output.write_end);
  ::close(error.write_end);
  output_.descriptor = output.read_end;
  error_.descriptor = error.read_end;
  pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pid_descriptor_ < 0) fail("pidfd_open");
}

Child::~Child() {
  if (!ended()) kill();
  close_descriptors();
}

void Child::wait_any(std::span<Child* const> children, Clock::time_point until) {
  std::vector<pollfd> awaited;
  for (const Child* child : children) {
    if (child->ended()) continue;
    for (int descriptor :
         {child->output_.descriptor, child->error_.descriptor, child->pid_descriptor_}) {
      if (descriptor >= 0) awaited.push_back({descriptor, POLLIN, 0});
    }
  }
  const auto left = std::max<Clock::duration>(until - Clock::now(), Clock::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{seconds.count(), static_cast<long>((left - seconds).count())};
  if (::ppoll(awaited.data(), awaited.size(), &timeout, nullptr) < 0 && errno != EINTR) {
    fail("ppoll");
  }
  for (Child* child : children) {
    if (child->ended()) continue;
    pollfd ending{child->pid_descriptor_, POLLIN, 0};
    const bool over = ::poll(&ending, 1, 0) == 1;
    child->take_in(child->output_, std::numeric_limits<std::size_t>::max());
    child->take_in(child->error_, kKeptErrorLines);
    if (over) child->reap();  // I1: looked before reading, so nothing can come after
  }
}

std::optional<std::string> Child::take_line() {
  if (output_.lines.empty()) return std::nullopt;
  std::string line = std::move(output_.lines.front());
  output_.lines.pop_front();
  return line;
}

void Child::send(int signal) {
  if (!ended()) ::kill(pid_, signal);
}

bool Child::stop() {
  send(SIGSTOP);
  siginfo_t info{};
  // What is waited for stays to be waited for: reap() asks again.
  while (!ended() &&
         ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) fail("waitid");
  }
  return info.si_code == CLD_STOPPED;
}

void Child::kill() {
  send(SIGKILL);
  Child* const self = this;
  while (!ended()) wait_any({&self, 1}, Clock::now() + std::chrono::seconds(1));
}

void Child::take_in(Stream& stream, std::size_t keep_lines) {
  std::array<char, 65536> buffer;
  while (stream.descriptor >= 0) {
    const ssize_t count = ::read(stream.descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    if (count == 0) {
      ::close(stream.descriptor);
      stream.descriptor = -1;
      break;
    }
    stream.fragment.append(buffer.data(), static_cast<std::size_t>(count));
  }
  std::size_t from = 0;
  for (std::size_t end; (end = stream.fragment.find('\n', from)) != std::string::npos;) {
    stream.lines.push_back(stream.fragment.substr(from, end - from));
    from = end + 1;
    if (stream.lines.size() > keep_lines) stream.lines.pop_front();
  }
  stream.fragment.erase(0, from);
}

void Child::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  end_.emplace();
  if (WIFEXITED(status)) end_->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end_->signal = WTERMSIG(status);
}

void Child::close_descriptors() {
  for (int descriptor : {output_.descriptor, error_.descriptor, pid_descriptor_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

}  // namespace revenant::crash
