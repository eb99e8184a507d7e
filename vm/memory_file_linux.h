// Files of memory that no path leads to.
#pragma once

namespace revenant::vm {

// A new one, closed on exec and never executable, as hosts may demand (vm.memfd_noexec); -1 and
// errno where it is refused.
int make_memory_file(const char* name);

}  // namespace revenant::vm
