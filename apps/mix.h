// Mixing 64 bits, for random streams that are a function of their position and for digests
// (splitmix64; Steele, Lea and Flood, OOPSLA 2014).
#pragma once

#include <cstdint>

inline std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// In order: mix(mix(a, b), c) differs from mix(mix(a, c), b).
inline std::uint64_t mix(std::uint64_t digest, std::uint64_t next) { return mix(digest ^ next); }
