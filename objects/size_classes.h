// The sizes in which slabs hold blocks.
//
// Multiples of 16 up to 128, then four to each doubling, up to 8 KiB: at most a fifth of a block is
// slack. What is larger takes whole pages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "objects/layout.h"

namespace revenant::objects {

inline constexpr std::size_t kMinAlignment = 16;
inline constexpr std::size_t kMaxSlabBlock = 8192;

inline constexpr std::array<std::uint16_t, 32> kClassBytes{
    16,  32,  48,  64,   80,   96,   112,  128,  160,  192,  224,  256,  320,  384,  448,  512,
    640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192};
inline constexpr std::size_t kClasses = kClassBytes.size();
static_assert(kClassBytes.back() == kMaxSlabBlock);

namespace detail {

inline constexpr std::size_t kSteps = 64;

// The class of each of the first multiples of 1 << Shift.
template <std::size_t Shift>
constexpr auto class_of_steps() {
  std::array<std::uint8_t, kSteps + 1> steps{};
  std::uint8_t index = 0;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    while (index + 1u < kClasses && kClassBytes[index] < step << Shift) ++index;
    steps[step] = index;
  }
  return steps;
}

inline constexpr auto kFineClasses = class_of_steps<4>();    // up to 1 KiB by 16
inline constexpr auto kCoarseClasses = class_of_steps<7>();  // up to 8 KiB by 128

}  // namespace detail

// The smallest class that holds `bytes`, at most kMaxSlabBlock.
constexpr std::size_t size_class(std::size_t bytes) {
  if (bytes <= 1024) [[likely]]
    return detail::kFineClasses[(bytes + 15) >> 4];
  return detail::kCoarseClasses[(bytes + 127) >> 7];
}

// How offsets in a slab become block indices without a division.
struct ClassGeometry {
  std::uint32_t reciprocal;  // 2^32 / bytes, rounded up: exact for offsets below 2^16
  std::uint16_t bytes;
  std::uint16_t blocks;
};

inline constexpr auto kGeometry = [] {
  std::array<ClassGeometry, kClasses> all{};
  for (std::size_t index = 0; index < kClasses; ++index) {
    const std::uint64_t bytes = kClassBytes[index];
    all[index] = {static_cast<std::uint32_t>(((std::uint64_t{1} << 32) + bytes - 1) / bytes),
                  static_cast<std::uint16_t>(bytes),
                  static_cast<std::uint16_t>(kSlabBytes / bytes)};
  }
  return all;
}();

inline constexpr std::uint32_t block_index(const ClassGeometry& geometry, std::uint32_t offset) {
  return static_cast<std::uint32_t>((std::uint64_t{offset} * geometry.reciprocal) >> 32);
}

}  // namespace revenant::objects
