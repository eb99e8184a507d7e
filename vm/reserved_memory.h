// Volatile memory for the vm's own tables: a range of addresses reserved once, filled as it is
// touched.
//
// The vm's tables grow inside fault handlers and on any OS thread, where malloc may be the
// persistent heap's. Here growing is no call at all: the kernel fills anonymous pages on first
// touch. The range never moves, so that pointers into it stay good and readers need no word from
// writers.
//
// Threads: constant after reserve(). Errors: reserve() fails when the kernel refuses the range.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace revenant::vm {

class ReservedMemory {
 public:
  ReservedMemory() = default;
  ~ReservedMemory();
  ReservedMemory(const ReservedMemory&) = delete;
  ReservedMemory& operator=(const ReservedMemory&) = delete;

  // Reserves at least `bytes`, which read as zeros. From the second 2 MiB on the kernel is asked
  // for huge pages: a large table is read at random, and each small page of it costs a TLB miss.
  [[nodiscard]] base::Status reserve(std::size_t bytes, const char* purpose);

  [[nodiscard]] std::byte* begin() const { return begin_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0;
  std::byte* begin_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace revenant::vm
