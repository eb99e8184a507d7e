// Guesses which pages the next faults of a thread will ask for.
//
//   fault at 10, 11, 12 ...  -> windows of 1, 2, 4, ... up to the limit, ahead of the fault
//   fault at 10,  9,  8 ...  -> the same, downwards (stacks)
//   fault anywhere else      -> a window of 1; the stream that guessed wrong halves
//
// A thread walks several sequences at once (a copy has two), so kStreams of them are followed; a
// fault continues the stream that expected it, else it starts one in place of the oldest.
//
// I1  The window contains the page of the fault, and at most `limit` pages.
// I2  All its pages lie in the fault's chunk.
//
// Touches no memory but its own. One for each OS thread, used only by that thread's fault handler.
#pragma once

#include <array>
#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

class ReadAhead {
 public:
  static constexpr std::size_t kStreams = 8;

  // The run of pages to fill for a fault at `page`.
  [[nodiscard]] base::PageRun window_for(base::PageNumber page, base::PageCount limit) noexcept;
  [[nodiscard]] bool descending(base::PageRun window, base::PageNumber page) const noexcept {
    return window.first < page;
  }

 private:
  struct Stream {
    std::uint64_t up = 0;     // the next page if the stream ascends; 0 is no page of the space
    std::uint64_t down = 0;   // the next page if it descends
    std::uint32_t pages = 1;  // how many the last window held
    std::uint32_t used = 0;   // the clock at its last fault
  };

  std::array<Stream, kStreams> streams_{};
  std::uint32_t clock_ = 0;
};

}  // namespace revenant::vm
