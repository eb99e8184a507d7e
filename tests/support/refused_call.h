// Hosts that refuse a system call, as the seccomp profiles of containers do.
#pragma once

#include <cstdint>

namespace revenant::testing {

// From here on the process, and what it starts, is refused system call `number` with `error`.
void refuse_call(long number, int error);
// The same for a call whose argument `index`, from 0, has `value` in its lower half.
void refuse_argument(long number, unsigned index, std::uint32_t value, int error);
// The same for a call whose second argument is `command`, as fcntl's. Error 0 claims success.
void refuse_command(long number, std::uint32_t command, int error);
// The same for ioctl's request `request`.
void refuse_ioctl(unsigned long request, int error);

}  // namespace revenant::testing
