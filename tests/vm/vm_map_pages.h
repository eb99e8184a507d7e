// Entries and pages for the vm_map's tests.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/vm_map.h"

namespace revenant::vm::testing {

using base::PageNumber;

inline constexpr base::Epoch kEpoch{17};

// An entry that names its page and a version, in all three words: a torn one fits no pair.
inline PageEntry stamped(PageNumber page, std::uint32_t version) {
  PageEntry entry;
  entry.take<touch>();
  const std::uint64_t low = page.value * 0x9E3779B97F4A7C15ull + version;
  entry.set_hash({.low = low, .high = ~low ^ version});
  entry.set_ticket({.number = version & 0xffffff, .generation = 0});
  return entry;
}

inline std::uint32_t version_of(const PageEntry& entry) { return entry.ticket().number; }

inline bool is_stamped(PageNumber page, const PageEntry& entry) {
  const PageEntry expected = stamped(page, version_of(entry));
  return entry.hash() == expected.hash() && entry.state() == PageState::kActive;
}

// The tag that has this hash: the inverse of hash_of, to make blocks collide.
inline internal::BlockTag tag_with_hash(std::uint64_t hash) {
  const std::uint64_t factor = internal::hash_of(1) >> 16;
  std::uint64_t inverse = factor;
  for (int i = 0; i < 5; ++i) inverse *= 2 - factor * inverse;
  return (hash >> 16) * inverse & ((std::uint64_t{1} << 48) - 1);
}

// Pages whose blocks all fall into one bucket, however far the table grows.
inline PageNumber colliding_page(std::uint64_t number) {
  const std::uint64_t block = number / internal::kBlockPages;
  const internal::BlockTag tag = tag_with_hash((0x5a5aull << 48) + (block << 16));
  return {(tag << internal::kBlockShift) + number % internal::kBlockPages};
}

inline std::vector<PageNumber> dirty_pages(VmMap& map) {
  std::vector<PageNumber> pages;
  map.for_each_dirty([&](PageNumber page, const PageEntry&) { pages.push_back(page); });
  return pages;
}

}  // namespace revenant::vm::testing
