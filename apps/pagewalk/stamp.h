// What a page holds: words that follow from its own address and the version last written.
//
//   word 0: the address   word 1: the version   word k: mixed from both, another for each k
//
// S1  A page never written is version 0 and reads as zeros.
// S2  Each word tells an older version, another page and a torn page from the one that is due.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pagewalk {

inline constexpr std::size_t kPageSize = 4096;
inline constexpr std::size_t kWords = kPageSize / sizeof(std::uint64_t);

struct alignas(kPageSize) Page {
  std::array<std::uint64_t, kWords> words;
};

using Version = std::uint32_t;

// Writes words [from, to) of the page as of `version`.
void stamp(Page& page, Version version, std::size_t from = 0, std::size_t to = kWords);

// A sentence if the page is not as of `version`.
std::optional<std::string> find_fault(const Page& page, Version version);

}  // namespace pagewalk
