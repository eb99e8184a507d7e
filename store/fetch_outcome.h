// What a fetch of a page's image found.
#pragma once

#include <cstdint>

#include "store/hash.h"

namespace revenant::store {

enum class FetchOutcome : std::uint8_t {
  kImage,        // the frame holds the page's image
  kAbsent,       // no image born at or after `not_before`
  kDamaged,      // there is an image or a path to it, and it is not what was written
  kUnavailable,  // the store cannot be opened again, and the program has stopped trying
};

struct Fetched {
  FetchOutcome outcome = FetchOutcome::kUnavailable;
  ContentHash hash;  // of kImage
};

}  // namespace revenant::store
