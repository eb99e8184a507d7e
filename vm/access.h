// An access to the space that the hardware refused, as the kernel tells it.
//
// The bits are those of a page fault's error code on x86-64 (Intel SDM, volume 3, 4.7).
#pragma once

#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

struct Access {
  std::uintptr_t address = 0;
  int signal = 0;
  std::uint32_t error_code = 0;

  [[nodiscard]] base::PageNumber page() const { return base::PageNumber::of(address); }
  // The page was there, and did not allow it.
  [[nodiscard]] bool met_protection() const { return (error_code & 1u << 0) != 0; }
  [[nodiscard]] bool is_write() const { return (error_code & 1u << 1) != 0; }
  [[nodiscard]] bool is_fetch() const { return (error_code & 1u << 4) != 0; }
};

// What a refused access asks for.
enum class Trap {
  kMissing,    // the page is to be filled
  kWrite,      // the page is there, and a write to it is to be noted
  kSettled,    // another thread has seen to it meanwhile: try again
  kForbidden,  // nothing: no page of the space allows it
};

}  // namespace revenant::vm
