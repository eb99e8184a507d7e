// How missing pages are filled, and what came of it.
#pragma once

#include <cstdint>

namespace revenant::vm {

// Protected, so that the first write is noted, or counted as written.
enum class FillMode { kClean, kDirty };

struct Filled {
  std::uint64_t pages = 0;  // filled by this call
  std::uint64_t raced = 0;  // found there already
  bool refused = false;     // the kernel had no memory, or no mapping, for the rest
};

}  // namespace revenant::vm
