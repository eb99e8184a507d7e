// PAGEMAP_SCAN: the kernel's list of written pages, taken and re-armed in one call.
//
// I1  Only pages that have content are told: written, and present or swapped out. The kernel calls
//     a page written after MADV_DONTNEED too, and saving it would save zeros.
// I2  A run is scanned to its end, however many calls the kernel takes.
//
// Not synchronised. Errors: a kernel without the call, a /proc that is not mounted.
#pragma once

#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_list.h"

struct page_region;

namespace revenant::vm {

class Pagemap {
 public:
  enum class Rearm { kYes, kNo };

  Pagemap() = default;
  ~Pagemap() { close(); }
  Pagemap(const Pagemap&) = delete;
  Pagemap& operator=(const Pagemap&) = delete;

  [[nodiscard]] base::Status open();
  void close();
  [[nodiscard]] base::Status scan(base::PageRun pages, Rearm rearm, DirtyList& out);

 private:
  int descriptor_ = -1;
  page_region* regions_ = nullptr;  // where the kernel writes what it found
};

}  // namespace revenant::vm
