// The seam between the space and files of the host that pages of it show (map_file).
//
// vm knows that a page's ticket refers to a part of some file; whose implementation knows which,
// and whether it is still what it was.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

class HostFileSource {
 public:
  virtual ~HostFileSource() = default;

  // Where in volatile memory `count` parts of a file lie, from the part `first` on, read from the
  // disk already; null when the file is not what it was. The kernel copies from there: nobody else
  // reads it, for a file that is cut short meanwhile has nothing there. Called by the fault handler
  // on any OS thread, several at once: allocates nothing and takes no lock.
  virtual const std::byte* find(std::uint64_t first, base::PageCount count) noexcept = 0;
};

}  // namespace revenant::vm
