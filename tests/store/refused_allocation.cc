#include "tests/store/refused_allocation.h"

#include <cstddef>
#include <cstdlib>

namespace {

constexpr long kNone = -1;
constexpr long kRefused = -2;

thread_local long allocations_left = kNone;

}  // namespace

void* operator new(std::size_t size) {
  if (allocations_left == 0) {
    allocations_left = kRefused;
    throw std::bad_alloc();
  }
  if (allocations_left > 0) --allocations_left;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace revenant::testing {

void refuse_allocation(long number) { allocations_left = number; }

bool allocation_was_refused() {
  const bool refused = allocations_left == kRefused;
  allocations_left = kNone;
  return refused;
}

}  // namespace revenant::testing
