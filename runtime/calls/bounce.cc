#include "runtime/calls/bounce.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/units.h"
#include "runtime/calls/green_caller.h"
#include "runtime/host/real_calls_linux.h"

namespace revenant::runtime {

namespace {

// O_DIRECT wants buffers aligned as the device's blocks are: a copy is aligned as its original,
// from half a KiB to a page.
void* room_for_copy(const void* data, std::size_t size) {
  constexpr std::size_t kLeast = 512;
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const std::size_t alignment = std::min<std::size_t>(address & -address, base::kPageSize);
  if (alignment < kLeast || size < kLeast) return __real_malloc(std::max<std::size_t>(size, 1));
  return __real_memalign(alignment, size);
}

}  // namespace

Bounce::Bounce(const void* data, std::size_t size, bool copied)
    : original_(data), size_(size), data_(const_cast<void*>(data)) {
  if (data == nullptr || !is_persistent(data)) return;
  data_ = room_for_copy(data, size);
  if (data_ == nullptr) {
    errno = ENOMEM;
  } else if (copied) {
    std::memcpy(data_, data, size);
  }
}

Bounce Bounce::text(const char* text) {
  return {text, text == nullptr ? 0 : std::strlen(text) + 1, true};
}

Bounce::~Bounce() {
  if (data_ != original_) __real_free(data_);
}

void Bounce::deliver(std::size_t size) const {
  if (data_ == original_ || data_ == nullptr) return;
  std::memcpy(const_cast<void*>(original_), data_, std::min(size, size_));
}

}  // namespace revenant::runtime
