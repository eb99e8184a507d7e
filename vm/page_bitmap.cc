#include "vm/page_bitmap.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "vm/volatile_memory.h"

namespace revenant::vm {

base::Status PageBitmap::open() {
  close();
  REVENANT_ASSIGN(std::byte * memory, reserve_volatile(kBytes, "a table of pages"));
  words_ = reinterpret_cast<std::uint64_t*>(memory);
  chunks_.reset();
  return {};
}

void PageBitmap::close() {
  release_volatile(reinterpret_cast<std::byte*>(std::exchange(words_, nullptr)), kBytes);
}

// Calls apply(word, mask) for each word that `run` has bits in.
template <class Apply>
void PageBitmap::for_words(base::PageRun run, Apply apply) noexcept {
  std::uint64_t bit = index_of(run.first);
  const std::uint64_t end = bit + run.count.value;
  while (bit < end) {
    const std::uint64_t count = std::min(64 - bit % 64, end - bit);
    const std::uint64_t ones = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    apply(words_[bit / 64], ones << (bit % 64));
    bit += count;
  }
}

void PageBitmap::set(base::PageRun run) noexcept {
  if (run.count.value == 0) return;
  for_words(run, [](std::uint64_t& word, std::uint64_t mask) { word |= mask; });
  const ChunkIndex last = space_.chunk_of(run.end() - base::PageCount{1});
  for (ChunkIndex chunk = space_.chunk_of(run.first); chunk <= last; ++chunk.value) {
    if (!chunks_.test(chunk)) chunks_.set(chunk);  // I1
  }
}

void PageBitmap::clear(base::PageRun run) noexcept {
  if (run.count.value == 0) return;
  for_words(run, [](std::uint64_t& word, std::uint64_t mask) { word &= ~mask; });
}

std::uint64_t PageBitmap::find(std::uint64_t first, std::uint64_t end, bool value) const noexcept {
  const std::uint64_t flip = value ? 0 : ~std::uint64_t{0};
  for (std::uint64_t bit = first; bit < end; bit = (bit / 64 + 1) * 64) {
    const std::uint64_t rest = (words_[bit / 64] ^ flip) >> (bit % 64);
    if (rest == 0) continue;
    return std::min(end, bit + static_cast<std::uint64_t>(std::countr_zero(rest)));
  }
  return end;
}

base::PageRun PageBitmap::next(base::PageRun pages, bool value) const noexcept {
  if (pages.count.value == 0) return pages;
  const std::uint64_t origin = index_of(pages.first);
  const std::uint64_t end = origin + pages.count.value;
  const std::uint64_t first = find(origin, end, value);
  const std::uint64_t past = find(first, end, !value);
  return {pages.first + base::PageCount{first - origin}, {past - first}};
}

base::PageRun PageBitmap::next_set(base::PageRun pages) const noexcept { return next(pages, true); }

base::PageRun PageBitmap::next_clear(base::PageRun pages) const noexcept {
  return next(pages, false);
}

base::PageRun PageBitmap::set_around(base::PageNumber page, base::PageRun pages) const noexcept {
  const base::PageRun up = next_clear({page, pages.end() - page});
  base::PageNumber first = page;
  while (first > pages.first && test(first - base::PageCount{1}))
    first = first - base::PageCount{1};
  return {first, up.first - first};
}

void PageBitmap::settle(ChunkIndex chunk) noexcept {
  const std::uint64_t first = std::uint64_t{chunk.value} * base::kPagesPerChunk;
  if (find(first, first + base::kPagesPerChunk, true) == first + base::kPagesPerChunk) {
    chunks_.erase(chunk);
  }
}

}  // namespace revenant::vm
