// A run of pages in one word, so that it changes at one instant.
//
//   pages 28 | first page 36      36 bits hold the page numbers of 48-bit addresses
#pragma once

#include <cstdint>

#include "base/check.h"
#include "base/units.h"

namespace revenant::vm {

inline constexpr unsigned kPackedFirstBits = 36;
inline constexpr std::uint64_t kPackedFirstMask = (std::uint64_t{1} << kPackedFirstBits) - 1;

inline std::uint64_t pack(base::PageRun run) {
  REVENANT_CHECK(
      run.first.value <= kPackedFirstMask && run.count.value >> (64 - kPackedFirstBits) == 0,
      "%zu pages from page %#zx", run.count.value, run.first.value);
  return run.count.value << kPackedFirstBits | run.first.value;
}
constexpr base::PageRun unpack(std::uint64_t word) {
  return {{word & kPackedFirstMask}, {word >> kPackedFirstBits}};
}

}  // namespace revenant::vm
