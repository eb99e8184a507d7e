#include "runtime/calls/bounce.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/calls/green_caller.h"
#include "runtime/real_calls_linux.h"

namespace revenant::runtime {

Bounce::Bounce(const void* data, std::size_t size, bool copied)
    : original_(data), size_(size), data_(const_cast<void*>(data)) {
  if (data == nullptr || !is_persistent(data)) return;
  data_ = __real_malloc(std::max<std::size_t>(size, 1));
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
