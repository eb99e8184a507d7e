// What a green thread runs, with its type erased. Not part of the public surface.
#pragma once

#include <stop_token>

namespace revenant::detail {

// Lies in persistent memory; deleted by the thread that ran it.
class task {
 public:
  virtual ~task() = default;
  virtual void run(std::stop_token token) = 0;
};

}  // namespace revenant::detail
