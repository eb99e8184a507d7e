// Where malloc allocates: a switch of each OS thread.
//
// The runtime sets it to persistent when it switches to a green thread and back when it leaves it;
// volatile_scope sets it within one. The wrapped malloc reads it; free does not, it goes by
// address.
//
// A green thread may resume on another OS thread, so the variable's address must not be kept over a
// switch: outside this room it is reached through the functions below, which are never inlined.
#pragma once

#include <cstdint>

namespace revenant::objects {

enum class AllocationDomain : std::uint8_t { kVolatile, kPersistent };

[[nodiscard]] AllocationDomain allocation_domain() noexcept;
void set_allocation_domain(AllocationDomain domain) noexcept;

namespace detail {
// For malloc_wrap.cc, whose functions are entered anew by each call. `__thread` rather than
// `thread_local`: no initialiser, no wrapper, one instruction.
extern __thread AllocationDomain current_domain __attribute__((tls_model("initial-exec")));
}  // namespace detail

}  // namespace revenant::objects
