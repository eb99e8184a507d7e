// The seam between the space and whatever keeps its pages' images.
//
// vm knows that a missing page has an image somewhere; store knows nothing of faults. The runtime
// joins the two by implementing this interface over the store.
//
//   stored page <--fetch-- the newest image on the branch      (a snapshot's)
//   modified page --park--> its image, in no snapshot yet --fetch_parked--> the page again
//                                          '-- taken over by the next snapshot
#pragma once

#include <cstddef>

#include "base/function_ref.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/page_entry.h"

namespace revenant::vm {

class PageSource {
 public:
  enum class Outcome {
    kImage,        // the frame holds the page's newest image
    kAbsent,       // no image was born at or after `not_before`: the page reads as zeros
    kDamaged,      // there is an image, and it is not what was written: it must not be used
    kUnavailable,  // it cannot be had, and waiting for it has ended
  };
  struct Fetched {
    Outcome outcome = Outcome::kUnavailable;
    ContentHash hash;  // of kImage
  };

  // At most so many pages are fetched at once.
  static constexpr std::size_t kMostFetched = 16;

  virtual ~PageSource() = default;

  // Copies the newest images of the pages of `run` on the running branch to `frames`, kPageSize
  // bytes of volatile memory each, and says what came of each in `fetched`. Called by the fault
  // handler on any OS thread, several at once: allocates nothing and takes no lock that interrupted
  // code can hold.
  virtual void fetch(base::PageRun run, base::Epoch not_before, std::byte* frames,
                     Fetched* fetched) noexcept = 0;
  // The rest is asked for under a memory budget only.

  // The hash that an image with this content has. Safe where fetch() is.
  [[nodiscard]] virtual ContentHash hash_of(const std::byte*) const noexcept { return {}; }

  // By the thread that writes snapshots, but for fetch_parked(), which is safe where fetch() is.

  // Writes an image ahead of the snapshot that will contain it. It can be fetched once
  // finish_parking() has returned. A page parked again supersedes its image.
  [[nodiscard]] virtual base::Result<TicketReference> park(base::PageNumber, const std::byte*,
                                                           const ContentHash&) {
    return base::Error{base::ErrorCode::kUsage, "this source of pages parks none"};
  }
  // Where this or a park() fails, nothing parked since the last one can be fetched.
  [[nodiscard]] virtual base::Status finish_parking() { return {}; }
  // Copies the parked image to `frame`. kAbsent: it is not there any more.
  [[nodiscard]] virtual Outcome fetch_parked(base::PageNumber, TicketReference, const ContentHash&,
                                             std::byte*) noexcept {
    return Outcome::kDamaged;
  }
  // The owner of the pages gave them back: nobody wants their parked images any more, but for those
  // that were parked of what has come to live there since.
  using IsWanted = base::FunctionRef<bool(base::PageNumber, TicketReference, const ContentHash&)>;
  virtual void forget_parked(base::PageRun, IsWanted) {}
};

}  // namespace revenant::vm
