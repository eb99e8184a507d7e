#include "vm/read_ahead.h"

#include <algorithm>

namespace revenant::vm {
namespace {

constexpr std::uint32_t kMaxPages = 64;

std::uint64_t chunk_start(std::uint64_t page) { return page - page % base::kPagesPerChunk; }

}  // namespace

base::PageRun ReadAhead::window_for(base::PageNumber page, base::PageCount limit) noexcept {
  Stream& stream = stream_at(page.value);
  stream.used = ++clock_;
  const std::uint64_t pages = std::min<std::uint64_t>(stream.pages, limit.value);
  const std::uint64_t start = chunk_start(page.value);
  if (stream.direction == Direction::kDown) {
    const std::uint64_t first = page.value - std::min(page.value - start, pages - 1);
    stream.next_down = first - 1;
    return {{first}, {page.value + 1 - first}};
  }
  const std::uint64_t end = std::min(page.value + pages, start + base::kPagesPerChunk);  // I2
  stream.next_up = end;
  if (stream.direction == Direction::kUnknown) stream.next_down = page.value - 1;
  return {page, {end - page.value}};
}

ReadAhead::Stream& ReadAhead::stream_at(std::uint64_t page) noexcept {
  for (Stream& stream : streams_) {
    if (stream.used != 0 && continues(stream, page)) return stream;
  }
  const auto older = [](const Stream& a, const Stream& b) { return a.used < b.used; };
  Stream& oldest = *std::min_element(streams_.begin(), streams_.end(), older);
  return oldest = Stream{};
}

bool ReadAhead::continues(Stream& stream, std::uint64_t page) noexcept {
  const bool may_ascend = stream.direction != Direction::kDown;
  const bool may_descend = stream.direction != Direction::kUp;
  const std::uint64_t skipped_up = page - stream.next_up;
  const std::uint64_t skipped_down = stream.next_down - page;
  // The differences are unsigned: a page on the other side is far off.
  const bool ascends = may_ascend && skipped_up < stream.pages;
  const bool descends = !ascends && may_descend && skipped_down < stream.pages;
  if (!ascends && !descends) return false;
  const bool expected = ascends ? skipped_up == 0 : skipped_down == 0;
  stream.pages = expected ? std::min(stream.pages * 2, kMaxPages) : stream.pages / 2;
  stream.direction = ascends ? Direction::kUp : Direction::kDown;
  return true;
}

}  // namespace revenant::vm
