// The seam between the space and whatever keeps its pages' images.
//
// vm knows that a missing page has an image somewhere; store knows nothing of faults. The runtime
// joins the two by implementing this interface over the store.
#pragma once

#include <cstddef>

#include "base/units.h"

namespace revenant::vm {

class PageSource {
 public:
  enum class Outcome {
    kImage,        // the frame holds the page's newest image
    kAbsent,       // no image was born at or after `not_before`: the page reads as zeros
    kDamaged,      // there is an image, and it is not what was written: it must not be used
    kUnavailable,  // it cannot be had, and waiting for it has ended
  };

  virtual ~PageSource() = default;

  // Copies the newest image of `page` on the running branch to `frame`, kPageSize bytes of volatile
  // memory. Called by the fault handler on any OS thread, several at once: allocates nothing and
  // takes no lock that interrupted code can hold.
  virtual Outcome fetch(base::PageNumber page, base::Epoch not_before,
                        std::byte* frame) noexcept = 0;
};

}  // namespace revenant::vm
