// Memory of the house itself that no allocator knows.
//
// In programs malloc may be redirected into the space, and the fault handler may allocate nothing;
// what vm needs for itself is reserved from the kernel, once, and filled as it is used. It does not
// survive the process.
#pragma once

#include <cstddef>

#include "base/result.h"

namespace revenant::vm {

// Reserves `bytes` (whole pages) of zeroed memory for `purpose`, a word for the error's sentence.
[[nodiscard]] base::Result<std::byte*> reserve_volatile(std::size_t bytes, const char* purpose);
void release_volatile(std::byte* memory, std::size_t bytes) noexcept;

// Makes any access to the page at `memory` an error: the guard of a stack.
void guard_volatile(std::byte* memory) noexcept;

}  // namespace revenant::vm
