// What is left: random bytes, the host's name and limits, and syscall() itself.
#include <linux/futex.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>

#include "runtime/blocking.h"
#include "runtime/bounce.h"
#include "runtime/descriptor_table.h"
#include "runtime/green_caller.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {
namespace {

constexpr int kRefused = -1;

// Fills by `call(result)`.
template <class T, class Call>
int filled_by(T* result, Call call) {
  if (green_caller() == nullptr) return call(result);
  const Bounce filled = Bounce::out(result, sizeof *result);
  if (!filled.ok()) return kRefused;
  const int outcome = call(filled.as<T>());
  if (outcome == 0) filled.deliver();
  return outcome;
}

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

ssize_t __wrap_getrandom(void* data, std::size_t size, unsigned flags) {
  if (green_caller() == nullptr) return __real_getrandom(data, size, flags);
  const Bounce filled = Bounce::out(data, size);
  const ssize_t got = filled.ok() ? __real_getrandom(filled.data(), size, flags) : kRefused;
  if (got > 0) filled.deliver(static_cast<std::size_t>(got));
  return got;
}

int __wrap_getentropy(void* data, std::size_t size) {
  if (green_caller() == nullptr) return __real_getentropy(data, size);
  const Bounce filled = Bounce::out(data, size);
  const int outcome = filled.ok() ? __real_getentropy(filled.data(), size) : kRefused;
  if (outcome == 0) filled.deliver();
  return outcome;
}

void __wrap_arc4random_buf(void* data, std::size_t size) {
  if (green_caller() == nullptr) return __real_arc4random_buf(data, size);
  const Bounce filled = Bounce::out(data, size);
  if (!filled.ok()) return __real_arc4random_buf(data, size);
  __real_arc4random_buf(filled.data(), size);
  filled.deliver();
}

std::uint32_t __wrap_arc4random() {
  std::uint32_t drawn = 0;
  __wrap_arc4random_buf(&drawn, sizeof drawn);
  return drawn;
}

int __wrap_uname(utsname* result) {
  return filled_by(result, [](utsname* r) { return __real_uname(r); });
}

int __wrap_getrusage(__rusage_who who, rusage* result) {
  return filled_by(result, [&](rusage* r) { return __real_getrusage(who, r); });
}

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
