// syscall() itself, and what C++ libraries reach through it: futexes.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>

#include "runtime/calls/blocking.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/descriptor_table.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {
namespace {

// Waiting on a futex in the space, as std::atomic and std::counting_semaphore do. Wakes up after a
// moment whatever happened, which callers expect.
long green_futex_wait(const std::uint32_t* word, std::uint32_t expected) {
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) return errno = EAGAIN, kRefused;
  nap();
  return 0;
}

bool waits_in_space(long number, long address, long operation) {
  const long command = operation & FUTEX_CMD_MASK;
  return number == SYS_futex && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) &&
         is_persistent(reinterpret_cast<const void*>(address)) && green_caller() != nullptr;
}

}  // namespace
}  // namespace revenant::runtime

using namespace revenant::runtime;

extern "C" {

// A userfaultfd is the runtime's own descriptor as well. Six words are taken whatever the number
// wants, as libc's own does: those that were not passed are whatever stands there.
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long word[6];
  for (long& each : word) each = va_arg(arguments, long);
  va_end(arguments);
  if (waits_in_space(number, word[0], word[1])) {
    return green_futex_wait(reinterpret_cast<const std::uint32_t*>(word[0]),
                            static_cast<std::uint32_t>(word[2]));
  }
  const long result = __real_syscall(number, word[0], word[1], word[2], word[3], word[4], word[5]);
  if (number != SYS_userfaultfd || result < 0) return result;
  return DescriptorTable::instance().move_up(static_cast<int>(result));
}

}  // extern "C"
