#include "tests/runtime/child_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/check.h"

namespace revenant::testing {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    int pair[2];
    REVENANT_CHECK(::pipe2(pair, O_CLOEXEC) == 0);
    read = pair[0];
    write = pair[1];
  }
};

std::string read_all(int descriptor) {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(descriptor, part.data(), part.size());
    if (got <= 0) return all;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
}

// Appends what comes from `descriptor` to `seen`, until that holds `text`.
bool read_until(int descriptor, std::string& seen, const std::string& text) {
  std::array<char, 4096> part{};
  while (seen.find(text) == std::string::npos) {
    const ssize_t got = ::read(descriptor, part.data(), part.size());
    if (got <= 0) return false;
    seen.append(part.data(), static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

int Ended::exit_code() const { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

ChildProgram::ChildProgram(const std::function<int()>& body) {
  const Pipe in;
  const Pipe out;
  const Pipe err;
  pid_ = ::fork();
  REVENANT_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    ::dup2(in.read, STDIN_FILENO);
    ::dup2(out.write, STDOUT_FILENO);
    ::dup2(err.write, STDERR_FILENO);
    for (const Pipe* each : {&in, &out, &err}) {
      ::close(each->read);
      ::close(each->write);
    }
    std::exit(body());
  }
  ::close(in.read);
  ::close(out.write);
  ::close(err.write);
  stdin_ = in.write;
  stdout_ = out.read;
  stderr_ = err.read;
}

ChildProgram::~ChildProgram() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  close_stdin();
  ::close(stdout_);
  ::close(stderr_);
}

void ChildProgram::tell(const std::string& text) {
  REVENANT_CHECK(::write(stdin_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

void ChildProgram::close_stdin() {
  if (stdin_ >= 0) ::close(stdin_);
  stdin_ = -1;
}

void ChildProgram::wait_until_read() const {
  for (int left = 1; left != 0; std::this_thread::yield()) {
    REVENANT_CHECK(::ioctl(stdin_, FIONREAD, &left) == 0);
  }
}

bool ChildProgram::says(const std::string& text) { return read_until(stdout_, out_, text); }

bool ChildProgram::complains(const std::string& text) { return read_until(stderr_, err_, text); }

// Of one that has been waited for nothing is left: -1 would be everybody.
void ChildProgram::send(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);
}

void ChildProgram::wait_until_signals_are_taken() const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/status";
  for (bool pending = true; pending; std::this_thread::yield()) {
    std::ifstream status(path);
    pending = false;
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigPnd:") && !line.starts_with("ShdPnd:")) continue;
      pending = pending || std::stoull(line.substr(line.find('\t')), nullptr, 16) != 0;
    }
  }
}

Ended ChildProgram::wait() {
  Ended ended;
  std::thread errors([&] { ended.err = err_ + read_all(stderr_); });
  ended.out = out_ + read_all(stdout_);
  errors.join();
  REVENANT_CHECK(::waitpid(pid_, &ended.status, 0) == pid_);
  pid_ = -1;
  return ended;
}

}  // namespace revenant::testing
