#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/units.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {

base::Result<std::byte*> reserve_volatile(std::size_t bytes, const char* purpose) {
  // The raw calls: a sanitizer's interceptor would clear the shadow of a gigabyte nobody touches.
  const long memory = ::syscall(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == -1) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       std::string("cannot reserve memory for ") + purpose + ": " +
                           std::strerror(errno) + "; raise the address-space limit (ulimit -v)"};
  }
  return reinterpret_cast<std::byte*>(memory);
}

void release_volatile(std::byte* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  REVENANT_CHECK(::syscall(SYS_munmap, memory, bytes) == 0, "munmap(%p, %zu): %s",
                 static_cast<void*>(memory), bytes, std::strerror(errno));
}

void guard_volatile(std::byte* memory) noexcept {
  REVENANT_CHECK(::mprotect(memory, base::kPageSize, PROT_NONE) == 0, "mprotect(%p): %s",
                 static_cast<void*>(memory), std::strerror(errno));
}

}  // namespace revenant::vm
