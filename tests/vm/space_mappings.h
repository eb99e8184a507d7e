// How many mappings the kernel keeps for the space.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

#include "vm/space.h"

namespace revenant::vm {

inline std::size_t space_mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    count += kSpaceRun.contains(base::PageNumber::of(std::stoull(line, nullptr, 16))) ? 1 : 0;
  }
  return count;
}

}  // namespace revenant::vm
