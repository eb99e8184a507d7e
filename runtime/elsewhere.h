// What must not run on a green thread's stack: made by another OS thread, or by the worker itself.
//
//   green thread:  block in volatile memory --> run() ....... parked ....... --> reads the block
//   elsewhere:                                     \--> block's run() --------/
//
// libc hands frames of its own to the kernel (sigaction, tcgetattr) or to a child process
// (posix_spawn), and on a green thread's stack their pages may be missing. And while the block runs
// the green thread counts as parked: a snapshot may be taken, beside which nothing touches the
// space. So what goes in and out is copied by the green thread's own code.
//
// I1  A block is of the process that made it: once a run has returned false it is gone.
//
// Threads: one object, one green thread, where it may be parked.
#pragma once

#include <utility>

#include "revenant/memory.h"
#include "runtime/machine.h"

namespace revenant::runtime {

// `Block` copies all that it is given, and has a run() that touches nothing else.
template <class Block>
class Elsewhere {
 public:
  template <class... Arguments>
  explicit Elsewhere(Arguments&&... arguments) {
    const volatile_scope scope;
    block_ = new Block(std::forward<Arguments>(arguments)...);
  }
  ~Elsewhere() { delete block_; }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

  // Calls the block's run() on another OS thread, while other green threads go on. False when a
  // restart cut it off: it may or may not have happened.
  [[nodiscard]] bool run() {
    return keep_if(Machine::instance().scheduler().call_offloaded(run_block, block_));
  }
  // The same on the worker's own stack, which other green threads wait for.
  [[nodiscard]] bool run_on_worker() {
    return keep_if(Machine::instance().scheduler().call_outside(run_block, block_));
  }
  // The block, before a run or after one that returned true.
  Block* operator->() const { return block_; }

 private:
  static void run_block(void* block) { static_cast<Block*>(block)->run(); }
  bool keep_if(bool ran) {
    if (!ran) block_ = nullptr;  // I1
    return ran;
  }

  Block* block_;
};

}  // namespace revenant::runtime
