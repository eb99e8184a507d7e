// A process under test: started, listened to, killed, reaped.
//
//   starting the object --> running --(exit, signal, kill)--> ended
//
// I1  Everything the process wrote before its end is handed out as lines before ended() is true.
// I2  The process dies with the driver: no orphan keeps a store in use.
//
// Lines are complete ones; a fragment without its newline is dropped at the end. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace revenant::crash {

using Clock = std::chrono::steady_clock;

// How a process ended: by itself with an exit code, or by a signal.
struct ProcessEnd {
  std::optional<int> exit_code;
  int signal = 0;

  [[nodiscard]] std::string describe() const;
};

class Child {
 public:
  // Throws std::system_error if the process cannot be made; a program that cannot be executed ends
  // with exit code 127.
  explicit Child(const std::vector<std::string>& command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits until `until` for output or an end of any of `children`, and takes it in.
  static void wait_any(std::span<Child* const> children, Clock::time_point until);

  // The next line of standard output, in order.
  std::optional<std::string> take_line();
  // The lines of standard error, as many of the last as are kept.
  [[nodiscard]] const std::deque<std::string>& error_lines() const { return error_.lines; }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ended() const { return end_.has_value(); }
  [[nodiscard]] const std::optional<ProcessEnd>& end() const { return end_; }

  void send(int signal);
  // Stops all of its threads, so that what is looked at is of one instant; false if it has ended.
  bool stop();
  void go_on() { send(SIGCONT); }
  // SIGKILL, then takes in what was written before and reaps.
  void kill();

 private:
  struct Stream {
    int descriptor = -1;
    std::string fragment;
    std::deque<std::string> lines;
  };

  void take_in(Stream& stream, std::size_t keep_lines);
  void reap();
  void close_descriptors();

  pid_t pid_ = -1;
  int pid_descriptor_ = -1;
  Stream output_;
  Stream error_;
  std::optional<ProcessEnd> end_;
};

}  // namespace revenant::crash
