#include "vm/space.h"

#include <algorithm>

#include "base/check.h"

namespace revenant::vm {
namespace {

constexpr std::uint64_t chunk_number(base::PageNumber page) {
  return page.value / base::kPagesPerChunk;
}

}  // namespace

ChunkIndex Space::chunk_of(base::PageNumber page) const {
  if (kSpaceRun.contains(page)) {
    return {static_cast<std::uint32_t>(chunk_number(page) - chunk_number(kSpaceRun.first))};
  }
  REVENANT_DCHECK(low_.contains(page), "page %#zx", page.value);
  return {kLowFirstChunk +
          static_cast<std::uint32_t>(chunk_number(page) - chunk_number(low_.first))};
}

base::PageRun Space::pages_of(ChunkRun chunks) const {
  const bool is_low = chunks.first.value >= kLowFirstChunk;
  const base::PageRun window = is_low ? low_ : kSpaceRun;
  const std::uint64_t origin = is_low ? kLowFirstChunk : 0;
  const std::uint64_t chunk = chunk_number(window.first) + chunks.first.value - origin;
  const base::PageNumber first{chunk * base::kPagesPerChunk};
  const base::PageNumber end{(chunk + chunks.count) * base::kPagesPerChunk};
  const base::PageNumber clipped = std::max(first, window.first);
  return {clipped, std::min(end, window.end()) - clipped};  // I3
}

}  // namespace revenant::vm
