#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/memory_limits.h"
#include "base/units.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {
namespace {

constexpr std::size_t kHugePageSize = std::size_t{2} << 20;

}  // namespace

base::Result<std::byte*> reserve_volatile(std::size_t bytes, const char* purpose, std::byte* wish) {
  // The raw calls: a sanitizer's interceptor would clear the shadow of a gigabyte nobody touches.
  const long memory = ::syscall(SYS_mmap, wish, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == -1) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       std::string("cannot reserve ") + std::to_string(bytes >> 10) +
                           " KiB of addresses for " + purpose + ": " +
                           (errno == ENOMEM ? base::why_no_memory() : std::strerror(errno))};
  }
  return reinterpret_cast<std::byte*>(memory);
}

void release_volatile(std::byte* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  REVENANT_CHECK(::syscall(SYS_munmap, memory, bytes) == 0, "munmap(%p, %zu): %s",
                 static_cast<void*>(memory), bytes, std::strerror(errno));
}

void prefer_huge_pages(std::byte* memory, std::size_t bytes) noexcept {
  // Only an improvement: a kernel without huge pages refuses, and that is fine.
  ::syscall(SYS_madvise, memory, bytes, MADV_HUGEPAGE);
}

void guard_volatile(std::byte* memory) noexcept {
  REVENANT_CHECK(::mprotect(memory, base::kPageSize, PROT_NONE) == 0, "mprotect(%p): %s",
                 static_cast<void*>(memory), std::strerror(errno));
}

base::Status ReservedMemory::reserve(std::size_t bytes, const char* purpose) {
  REVENANT_TRY(reserve_sparse(bytes, purpose));
  if (bytes > kHugePageSize) prefer_huge_pages(begin_ + kHugePageSize, bytes - kHugePageSize);
  return {};
}

base::Status ReservedMemory::reserve_sparse(std::size_t bytes, const char* purpose) {
  REVENANT_CHECK(mapping_ == nullptr, "%s is reserved twice", purpose);
  REVENANT_ASSIGN(mapping_, reserve_volatile(bytes + kHugePageSize, purpose));
  mapping_bytes_ = bytes + kHugePageSize;
  begin_ = mapping_ + (-reinterpret_cast<std::uintptr_t>(mapping_) & (kHugePageSize - 1));
  bytes_ = bytes;
  return {};
}

}  // namespace revenant::vm
