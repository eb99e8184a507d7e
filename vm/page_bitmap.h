// A bit for each page of the space, and which chunks have any.
//
//   words    a bit a page, a chunk's 512 in 8 words       ... 0110 ...
//   chunks   those in which a bit may be set (chunk_bitmap.h)
//
// I1  A chunk that holds a set bit is in chunks(). It may stay there after its last bit is
//     cleared, until settle() looks.
// I2  The words lie in a reserved range of their own: nothing here allocates.
//
// Not synchronised: its owner's lock guards it; chunks() may be walked without. Errors: open()
// fails where the host refuses the reservation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "base/units.h"
#include "vm/chunk_bitmap.h"
#include "vm/space.h"

namespace revenant::vm {

class PageBitmap {
 public:
  explicit PageBitmap(const Space& space) : space_(space) {}
  ~PageBitmap() { close(); }
  PageBitmap(const PageBitmap&) = delete;
  PageBitmap& operator=(const PageBitmap&) = delete;

  // No bit is set.
  [[nodiscard]] base::Status open();
  void close();

  // Runs lie in one window of the space.
  [[nodiscard]] bool test(base::PageNumber page) const noexcept {
    const std::uint64_t bit = index_of(page);
    return (words_[bit / 64] >> (bit % 64) & 1) != 0;
  }
  void set(base::PageRun run) noexcept;
  void clear(base::PageRun run) noexcept;

  // The first maximal run within `pages` whose bits are all set, or of no pages.
  [[nodiscard]] base::PageRun next_set(base::PageRun pages) const noexcept;
  [[nodiscard]] base::PageRun next_clear(base::PageRun pages) const noexcept;
  // The maximal run of set bits around `page`, within `pages`.
  [[nodiscard]] base::PageRun set_around(base::PageNumber page, base::PageRun pages) const noexcept;

  [[nodiscard]] const ChunkBitmap& chunks() const { return chunks_; }
  // Takes `chunk` out of chunks() if none of its bits is set.
  void settle(ChunkIndex chunk) noexcept;

 private:
  static constexpr std::size_t kBytes = std::size_t{kChunkLimit} * base::kPagesPerChunk / 8;

  [[nodiscard]] std::uint64_t index_of(base::PageNumber page) const noexcept {
    return std::uint64_t{space_.chunk_of(page).value} * base::kPagesPerChunk +
           page.value % base::kPagesPerChunk;
  }
  // The first bit of [first, end) that is `value`, or `end`.
  [[nodiscard]] std::uint64_t find(std::uint64_t first, std::uint64_t end,
                                   bool value) const noexcept;
  [[nodiscard]] base::PageRun next(base::PageRun pages, bool value) const noexcept;
  template <class Apply>
  void for_words(base::PageRun run, Apply apply) noexcept;

  const Space& space_;
  ChunkBitmap chunks_;
  std::uint64_t* words_ = nullptr;
};

}  // namespace revenant::vm
