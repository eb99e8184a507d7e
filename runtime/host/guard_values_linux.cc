#include "runtime/host/guard_values_linux.h"

#include <sys/random.h>

#include "base/check.h"

namespace revenant::runtime {

objects::GuardValues draw_guard_values() {
  objects::GuardValues guards{};
  REVENANT_CHECK(::getrandom(&guards, sizeof guards, 0) == sizeof guards);
  guards.stack_canary &= ~std::uint64_t{0xff};
  return guards;
}

}  // namespace revenant::runtime
