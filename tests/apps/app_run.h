// An app that a test starts, listens to and ends.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/crash/child.h"

namespace revenant {

class AppRun {
 public:
  explicit AppRun(const std::vector<std::string>& command) : child_(command) {}

  // The next line of its output; empty once it has ended. A test that hangs here is ended by ctest.
  std::string line() {
    crash::Child* const only = &child_;
    for (;;) {
      if (auto line = child_.take_line()) return *line;
      if (child_.ended()) return "";
      crash::Child::wait_any({&only, 1}, crash::Clock::now() + std::chrono::seconds(1));
    }
  }
  // Lines up to and with the first that starts with `words`, which is returned.
  std::string line_with(const std::string& words) {
    std::string found = line();
    while (!found.empty() && !found.starts_with(words)) found = line();
    return found;
  }

  void kill() { child_.kill(); }
  void send(int signal) { child_.send(signal); }
  // Waits for its end, leaving its output to line(); -1 if a signal ended it.
  int exit_code() {
    crash::Child* const only = &child_;
    while (!child_.ended()) {
      crash::Child::wait_any({&only, 1}, crash::Clock::now() + std::chrono::seconds(1));
    }
    return child_.end()->exit_code.value_or(-1);
  }
  const std::deque<std::string>& errors() const { return child_.error_lines(); }

 private:
  crash::Child child_;
};

}  // namespace revenant
