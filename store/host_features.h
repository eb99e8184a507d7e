// What programs on a store have run on: an ELF machine, 0 before the first start, and what they may
// have found in its processors (whose bits the runtime knows).
#pragma once

#include <cstdint>

namespace revenant::store {

struct HostFeatures {
  std::uint32_t machine = 0;
  std::uint64_t features = 0;

  // Both together; the machine is the one that ran last.
  void add(const HostFeatures& other) {
    if (other.machine != 0) machine = other.machine;
    features |= other.features;
  }
};

}  // namespace revenant::store
