// Random bytes of green threads: the kernel fills volatile memory.
#include <sys/random.h>
#include <unistd.h>

#include <cstdint>

#include "runtime/calls/bounce.h"
#include "runtime/calls/descriptor_check.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"

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

}  // extern "C"
