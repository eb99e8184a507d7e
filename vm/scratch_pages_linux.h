// Two pages to try a tracker on, and a writer that survives being refused.
//
// Not synchronised. Errors: open() fails where the host refuses the reservation.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "base/units.h"

namespace revenant::vm {

class ScratchPages {
 public:
  ScratchPages() = default;
  ~ScratchPages();
  ScratchPages(const ScratchPages&) = delete;
  ScratchPages& operator=(const ScratchPages&) = delete;

  [[nodiscard]] base::Status open();
  // Anonymous, writable and untouched.
  [[nodiscard]] base::PageRun pages() const;

 private:
  std::byte* memory_ = nullptr;
};

// A page of zeros to fill others from.
[[nodiscard]] const std::byte* scratch_zeros();

// Has the kernel write to a page: where that is refused this is false, while a store from here
// would raise a signal.
[[nodiscard]] bool kernel_writes_to(base::PageNumber page);

}  // namespace revenant::vm
