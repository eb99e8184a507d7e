// One side of a comparison, in a process of its own: two that want the same signals or addresses
// cannot live in one, and measured one after the other they would not meet the same machine.
#pragma once

#include <sys/types.h>

#include <functional>

namespace revenant::bench {

class ForkedSide {
 public:
  // What is measured, by a number that both sides understand.
  using Measure = std::function<double(int what)>;

  // `prepare` runs in the new process, once.
  explicit ForkedSide(const std::function<Measure()>& prepare);
  ~ForkedSide();
  ForkedSide(const ForkedSide&) = delete;
  ForkedSide& operator=(const ForkedSide&) = delete;

  // Has it measured there, and waits.
  double measure(int what);

 private:
  pid_t process_ = -1;
  int requests_ = -1;
  int answers_ = -1;
};

}  // namespace revenant::bench
