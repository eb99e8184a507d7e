#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "vm/reserved_memory.h"

namespace revenant::vm {
namespace {

constexpr std::size_t kHugePageSize = std::size_t{2} << 20;

// The raw calls: a sanitizer's interceptor would clear the shadow of gigabytes that nobody touches.
void* map(std::size_t bytes) {
  const long result = ::syscall(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return result == -1 ? nullptr : reinterpret_cast<void*>(result);
}

}  // namespace

base::Status ReservedMemory::reserve(std::size_t bytes, const char* purpose) {
  REVENANT_CHECK(mapping_ == nullptr, "%s is reserved twice", purpose);
  const std::size_t mapping_bytes = bytes + kHugePageSize;
  void* mapping = map(mapping_bytes);
  if (mapping == nullptr) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       std::string(purpose) + ": " + std::to_string(mapping_bytes >> 20) +
                           " MiB of addresses cannot be reserved (" + std::strerror(errno) +
                           "); raise the address space limit (ulimit -v) or set "
                           "vm.overcommit_memory to 0 or 1"};
  }
  mapping_ = static_cast<std::byte*>(mapping);
  mapping_bytes_ = mapping_bytes;
  const auto address = reinterpret_cast<std::uintptr_t>(mapping);
  begin_ = mapping_ + (-address & (kHugePageSize - 1));
  bytes_ = bytes;
  // Only an improvement: a kernel without huge pages refuses, and that is fine.
  ::syscall(SYS_madvise, begin_ + kHugePageSize, bytes > kHugePageSize ? bytes - kHugePageSize : 0,
            MADV_HUGEPAGE);
  return {};
}

ReservedMemory::~ReservedMemory() {
  if (mapping_ != nullptr) ::syscall(SYS_munmap, mapping_, mapping_bytes_);
}

}  // namespace revenant::vm
