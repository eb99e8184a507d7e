// Runs a program to its end and keeps what it said.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "tests/crash/child.h"

namespace revenant::crash {

struct Outcome {
  int exit_code;  // -1 if a signal ended it
  std::vector<std::string> output;
  std::deque<std::string> errors;
};

inline Outcome run_to_end(const std::vector<std::string>& command) {
  Child child(command);
  Child* const only = &child;
  while (!child.ended()) Child::wait_any({&only, 1}, Clock::now() + std::chrono::seconds(1));
  Outcome outcome{child.end()->exit_code.value_or(-1), {}, child.error_lines()};
  while (auto line = child.take_line()) outcome.output.push_back(*line);
  return outcome;
}

}  // namespace revenant::crash
