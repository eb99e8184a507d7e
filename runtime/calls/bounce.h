// Volatile copies of what a system call reads and writes.
//
// The kernel, given an address in the space, finds a page missing or protected and says EFAULT, or
// comes back short: no fault handler runs. So what a green thread's call points to is copied to
// memory that is all there, and what the call has written is copied back by the green thread's own
// code, whose faults are served. Touching the pages beforehand would not do: one may be taken away
// again in between.
//
// I1  A Bounce does not outlive a switch: its copy is of this process.
//
// Memory outside the space is used as it is. When there is no memory for a copy, data() is null and
// errno is ENOMEM.
#pragma once

#include <cstddef>

namespace revenant::runtime {

class Bounce {
 public:
  // What a call reads.
  static Bounce in(const void* data, std::size_t size) { return {data, size, true}; }
  // What it reads, ended by a zero.
  static Bounce text(const char* text);
  // What it writes: handed over by deliver().
  static Bounce out(void* data, std::size_t size) { return {data, size, false}; }
  // Both.
  static Bounce in_out(void* data, std::size_t size) { return {data, size, true}; }
  ~Bounce();
  Bounce(const Bounce&) = delete;
  Bounce& operator=(const Bounce&) = delete;

  [[nodiscard]] void* data() const { return data_; }
  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }
  // False when there was no memory for the copy.
  [[nodiscard]] bool ok() const { return data_ != nullptr || original_ == nullptr; }
  // Copies the first `size` bytes back, or all.
  void deliver(std::size_t size) const;
  void deliver() const { deliver(size_); }

 private:
  Bounce(const void* data, std::size_t size, bool copied);

  const void* original_;
  std::size_t size_;
  void* data_;  // the copy, or the original where that will do
};

}  // namespace revenant::runtime
