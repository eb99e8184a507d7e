// A budget that has small programs page. Under TSan there is none: it leaves programs too few
// addresses for the pool of frames, the copies of a snapshot, the space and the store's map.
#pragma once

#include "base/sanitizer.h"

namespace revenant::testing {

#ifdef REVENANT_TSAN
inline constexpr const char* kLittleMemory = "0";
#else
inline constexpr const char* kLittleMemory = "1M";
#endif

}  // namespace revenant::testing
