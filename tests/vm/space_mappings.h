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

// The kernel's flags of the space's mapping at `page` (VmFlags in /proc/PID/smaps).
inline std::string space_flags(base::PageNumber page) {
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    const std::size_t dash = line.find('-');
    if (dash != std::string::npos && line.find(':') > dash + 1 && line.find(' ') > dash) {
      found = std::stoull(line, nullptr, 16) <= page.address() &&
              page.address() < std::stoull(line.substr(dash + 1), nullptr, 16);
    }
    if (found && line.starts_with("VmFlags:")) return line;
  }
  return "";
}

}  // namespace revenant::vm
