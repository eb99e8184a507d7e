// Functions of libc that must not run on a green thread's stack, called by another OS thread.
//
//   green thread:  block in volatile memory --> run() ....... parked ....... --> reads the block
//   pool thread:                                   \--> block's run(): libc --/
//
// libc hands frames of its own to the kernel (sigaction, tcgetattr) or to a child process
// (posix_spawn), and on a green thread's stack their pages may be missing.
//
// I1  A block is of the process that made it: once run() has returned false it is gone.
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

  // Calls the block's run(). False when a restart cut it off: it may or may not have happened.
  [[nodiscard]] bool run() {
    const bool ran = Machine::instance().scheduler().call_offloaded(
        [](void* block) { static_cast<Block*>(block)->run(); }, block_);
    if (!ran) block_ = nullptr;  // I1
    return ran;
  }
  // The block, before run() or after one that returned true.
  Block* operator->() const { return block_; }

 private:
  Block* block_;
};

}  // namespace revenant::runtime
