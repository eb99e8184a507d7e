// Where frames lie while they are outside the space: each at its page's address, plus a constant.
//
//   space   | ... | p7: active | p8: missing | ...        |
//                        |  ^          |
//            taken out   v  | rescue   v  the same distance for all
//   pool    | ... | nothing    | p8: standby | ...        |
//
// So a run of pages stays a run on its way out and back, one call of the kernel's moves it, and no
// table says where a frame is. The addresses cost nothing; what lies there counts against the
// budget. The kernel moves pages where it can (UFFDIO_MOVE); else they are copied.
//
// I1  A page of the pool holds memory exactly while its page of the space is standby, modified or
//     in transit. It changes under that page's stripe lock, or when no entry refers to it any more.
// I2  Nobody writes to what lies here: it is as it left the space.
//
// Threads: constant after open(), but for the memory itself (I1). Errors: open() fails where the
// host refuses the addresses.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "base/units.h"
#include "vm/space.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {

class FramePool {
 public:
  FramePool() = default;
  ~FramePool() { close(); }
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  [[nodiscard]] base::Status open();
  void close();

  [[nodiscard]] base::PageRun pages() const {
    return {base::PageNumber::of(memory_), kSpaceRun.count};
  }
  // Where `page`, of the space, lies when it is outside.
  [[nodiscard]] base::PageNumber place_of(base::PageNumber page) const {
    return pages().first + (page - kSpaceRun.first);
  }
  [[nodiscard]] const std::byte* content_of(base::PageNumber page) const {
    return place_of(page).pointer();
  }
  // Gives back the memory of what lies here of `run`, pages of the space.
  void discard(base::PageRun run) const noexcept;

 private:
  std::byte* memory_ = nullptr;
};

}  // namespace revenant::vm
