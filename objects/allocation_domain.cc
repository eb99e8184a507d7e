#include "objects/allocation_domain.h"

namespace revenant::objects {

__thread AllocationDomain detail::current_domain = AllocationDomain::kVolatile;

__attribute__((noinline)) AllocationDomain allocation_domain() noexcept {
  return detail::current_domain;
}

__attribute__((noinline)) void set_allocation_domain(AllocationDomain domain) noexcept {
  detail::current_domain = domain;
}

}  // namespace revenant::objects
