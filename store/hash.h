// Content hashes: what tells whether stored bytes are still the bytes that were written.
//
// XXH3-128 (algorithm id 1 in references). Not a defence against forgery: it finds damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace revenant::store {

struct ContentHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  constexpr bool operator==(const ContentHash&) const = default;
};

// The hash of kPageSize bytes. The bytes must not change meanwhile: hash a copy, not a live page.
[[nodiscard]] ContentHash hash_page(const std::byte* page) noexcept;

[[nodiscard]] ContentHash hash_bytes(std::span<const std::byte> bytes) noexcept;

}  // namespace revenant::store
