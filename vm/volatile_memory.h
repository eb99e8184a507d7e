// Memory of the house itself that no allocator knows.
//
// In programs malloc may be redirected into the space, and the fault handler may allocate nothing;
// what vm needs for itself is reserved from the kernel, once, and filled as it is touched. Growing
// is then no call at all, and a range never moves, so that pointers into it stay good. It does not
// survive the process.
//
// Threads: a ReservedMemory is constant after reserve(). Errors: the kernel refuses the addresses.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace revenant::vm {

// Reserves `bytes` (whole pages) of zeroed memory for `purpose`, a word for the error's sentence.
// At `wish` if nothing lies there, else where the kernel likes.
[[nodiscard]] base::Result<std::byte*> reserve_volatile(std::size_t bytes, const char* purpose,
                                                        std::byte* wish = nullptr);
void release_volatile(std::byte* memory, std::size_t bytes) noexcept;

// Asks for huge pages there: a large table is read at random, and each small page of it costs a TLB
// miss. Only a hint.
void prefer_huge_pages(std::byte* memory, std::size_t bytes) noexcept;

// Makes any access to the page at `memory` an error: the guard of a stack.
void guard_volatile(std::byte* memory) noexcept;

// A range for a table that grows, given back with its owner.
class ReservedMemory {
 public:
  ReservedMemory() = default;
  ~ReservedMemory() { release_volatile(mapping_, mapping_bytes_); }
  ReservedMemory(const ReservedMemory&) = delete;
  ReservedMemory& operator=(const ReservedMemory&) = delete;

  // Reserves at least `bytes`, which read as zeros, from the second 2 MiB on in huge pages.
  [[nodiscard]] base::Status reserve(std::size_t bytes, const char* purpose);
  // The same without huge pages, for what is used here and there.
  [[nodiscard]] base::Status reserve_sparse(std::size_t bytes, const char* purpose);

  [[nodiscard]] std::byte* begin() const { return begin_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0;
  std::byte* begin_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace revenant::vm
