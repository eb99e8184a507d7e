// Guesses which pages the next faults of a thread will ask for.
//
//   fault at 10, 11, 12 ...  -> windows of 1, 2, 4, ... up to the limit, ahead of the fault
//   fault at 10,  9,  8 ...  -> the same, downwards (stacks)
//   a little past the next   -> the stream goes on, with half the window
//   fault anywhere else      -> a new stream, with a window of 1
//
// A thread walks several sequences at once (a copy has two), so kStreams of them are followed; a
// new one takes the place of the one that was silent the longest.
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

  // The run of pages to fill for a fault at `page`, at most `limit` (at least 1) of them.
  [[nodiscard]] base::PageRun window_for(base::PageNumber page, base::PageCount limit) noexcept;

 private:
  enum class Direction : std::uint8_t { kUnknown, kUp, kDown };

  struct Stream {
    Direction direction = Direction::kUnknown;
    std::uint32_t pages = 1;      // of the next window
    std::uint32_t used = 0;       // the clock at its last fault; 0 if it never had one
    std::uint64_t next_up = 0;    // the page it faults at next if it ascends
    std::uint64_t next_down = 0;  // and if it descends
  };

  // The stream that a fault at `page` continues, advanced, or a fresh one.
  [[nodiscard]] Stream& stream_at(std::uint64_t page) noexcept;
  // True, with `stream` turned and its window grown or halved, if `page` continues it.
  [[nodiscard]] static bool continues(Stream& stream, std::uint64_t page) noexcept;

  std::array<Stream, kStreams> streams_{};
  std::uint32_t clock_ = 0;
};

}  // namespace revenant::vm
