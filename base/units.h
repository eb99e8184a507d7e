// Numbers that may not be mixed up: pages, counts of them, bytes, epochs.
//
// Each is a distinct type around a 64-bit integer. A page number is an address divided by the page
// size, so that one numbering serves every window of the space.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace revenant::base {

inline constexpr std::size_t kPageShift = 12;
inline constexpr std::size_t kPageSize = std::size_t{1} << kPageShift;
// A chunk is what one page-table page maps: the unit of occupancy and of temperature.
inline constexpr std::size_t kChunkShift = 21;
inline constexpr std::size_t kChunkSize = std::size_t{1} << kChunkShift;
inline constexpr std::size_t kPagesPerChunk = kChunkSize / kPageSize;

struct PageCount {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const PageCount&) const = default;
  constexpr PageCount& operator+=(PageCount more) { return value += more.value, *this; }
  constexpr PageCount& operator-=(PageCount fewer) { return value -= fewer.value, *this; }
  [[nodiscard]] constexpr std::uint64_t bytes() const { return value << kPageShift; }
  // The number of pages that `bytes` bytes take, the last one perhaps in part.
  static constexpr PageCount holding(std::uint64_t bytes) {
    return {(bytes >> kPageShift) + ((bytes & (kPageSize - 1)) != 0 ? 1 : 0)};
  }
};

struct PageNumber {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const PageNumber&) const = default;
  constexpr PageNumber& operator++() { return ++value, *this; }
  constexpr PageNumber operator+(PageCount count) const { return {value + count.value}; }
  constexpr PageNumber operator-(PageCount count) const { return {value - count.value}; }
  constexpr PageCount operator-(PageNumber other) const { return {value - other.value}; }
  [[nodiscard]] constexpr std::uintptr_t address() const { return value << kPageShift; }
  [[nodiscard]] std::byte* pointer() const { return reinterpret_cast<std::byte*>(address()); }
  static constexpr PageNumber of(std::uintptr_t address) { return {address >> kPageShift}; }
  static PageNumber of(const void* address) {
    return of(reinterpret_cast<std::uintptr_t>(address));
  }
};

// Consecutive pages, [first, first + count).
struct PageRun {
  PageNumber first;
  PageCount count;

  constexpr auto operator<=>(const PageRun&) const = default;
  [[nodiscard]] constexpr PageNumber end() const { return first + count; }
  [[nodiscard]] constexpr bool contains(PageNumber page) const {
    return page >= first && page < end();
  }
  [[nodiscard]] constexpr bool overlaps(const PageRun& other) const {
    return first < other.end() && other.first < end();
  }
};

// The number of a snapshot, or of the one being made. Rising, never used twice in a store's life;
// 0 stands for none. The public name of a committed one is `revision`.
struct Epoch {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const Epoch&) const = default;
  [[nodiscard]] constexpr Epoch next() const { return {value + 1}; }
};

inline constexpr Epoch kNoEpoch{0};

}  // namespace revenant::base

template <>
struct std::hash<revenant::base::PageNumber> {
  std::size_t operator()(revenant::base::PageNumber page) const noexcept {
    // Pages are consecutive or strided by powers of two, and tables mask a hash's low bits. One
    // multiplication leaves those of such strides at zero: the high half is folded in, twice.
    constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = page.value * kOdd;
    mixed = (mixed ^ (mixed >> 32)) * kOdd;
    return mixed ^ (mixed >> 32);
  }
};
