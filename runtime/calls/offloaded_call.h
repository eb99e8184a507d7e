// A system call of a green thread that may block, made by another OS thread.
//
//   green thread:  begin --> copy in --> make() ......parked....... --> copy out --> end
//   pool thread:                           \--> system call --> result
//
// What the call needs and what it gives lies in one block of volatile memory. The green thread may
// be parked in make() when the process dies; the next process finds the block's address in its
// frame and never follows it.
//
// I1  The block belongs to the process that made it: once make() has returned false it is gone.
//
// Threads: one object, one green thread.
#pragma once

#include <array>
#include <cstddef>

namespace revenant::runtime {

class OffloadedCall {
 public:
  // Room for `bytes` of data that the call reads or writes.
  explicit OffloadedCall(std::size_t bytes = 0);
  ~OffloadedCall();
  OffloadedCall(const OffloadedCall&) = delete;
  OffloadedCall& operator=(const OffloadedCall&) = delete;

  // The data; null when there was no memory.
  [[nodiscard]] void* data() const;

  // Makes the system call. False when a restart cut it off: it may or may not have happened, and
  // has to be made again with another object.
  template <class... Arguments>
  bool make(long number, Arguments... arguments) {
    return make_with(number, {as_word(arguments)...});
  }
  // Its result; -1 with errno set for an error.
  long result() const;

 private:
  struct Block;
  static long as_word(long word) { return word; }
  static long as_word(const void* pointer) { return reinterpret_cast<long>(pointer); }
  bool make_with(long number, const std::array<long, 6>& arguments);

  Block* block_;
};

}  // namespace revenant::runtime
