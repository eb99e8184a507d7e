// The memory of this process that a restart does not bring back.
//
// The space comes back, the executable's own image (with its .bss and the low window) lies at the
// same address in every process, and so do the stacks of the runtime's threads (os_thread_linux.h):
// addresses in all of these may be kept. All other memory that is not a library's is volatile.
//
// Threads: one. Errors: none; without /proc nothing is volatile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace revenant::runtime {

class VolatileMappings {
 public:
  struct Mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::string name;
  };

  // Reads what is mapped now. Allocates volatile memory, if that is what the caller allocates.
  void read();

  // The mapping that `address` points into, or null.
  [[nodiscard]] const Mapping* find(std::uintptr_t address) const;

 private:
  std::vector<Mapping> mappings_;  // by rising address
};

// What a person calls `mapping`: "the process's heap".
[[nodiscard]] std::string describe(const VolatileMappings::Mapping& mapping);

}  // namespace revenant::runtime
