// The bytes of LMDB 0.9's pages (its file format 1, 64 bits, pages of 4096 bytes), as far as they
// are read without it.
//
//   page      | header 16 | offsets of nodes, 2 each ...  --> lower | free | upper <-- ... nodes |
//   branch    node: child (48 bits), size of key (16), key
//   leaf      node: size of value (32 bits), flags (16), size of key (16), key, value or its page
//   value     header, then the value, over as many pages as it takes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace revenant::store {

inline constexpr std::size_t kLmdbPageSize = 4096;
inline constexpr std::size_t kLmdbHeaderSize = 16;
inline constexpr std::size_t kLmdbNodeHeaderSize = 8;
inline constexpr std::uint64_t kLmdbNoPage = ~std::uint64_t{0};
inline constexpr unsigned kLmdbDeepest = 32;

inline constexpr std::uint32_t kLmdbMagic = 0xBEEFC0DE;
inline constexpr std::uint32_t kLmdbVersion = 1;

inline constexpr std::uint16_t kLmdbBranch = 1;
inline constexpr std::uint16_t kLmdbLeaf = 2;
inline constexpr std::uint16_t kLmdbValue = 4;

inline constexpr std::uint16_t kLmdbChanged = 16;  // in memory only

inline constexpr std::uint16_t kLmdbValueOutside = 1;
inline constexpr std::uint16_t kLmdbTreeRecord = 2;
inline constexpr std::uint16_t kLmdbIntegerKeys = 8;

// Of a page but a meta.
struct LmdbPageHeader {
  std::uint64_t number = 0;
  std::uint16_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t lower = 0;  // with upper: a value's number of pages
  std::uint16_t upper = 0;

  [[nodiscard]] std::uint32_t pages() const {
    return lower | static_cast<std::uint32_t>(upper) << 16;
  }
};
static_assert(sizeof(LmdbPageHeader) == kLmdbHeaderSize);

struct LmdbNodeHeader {
  std::uint16_t low = 0;
  std::uint16_t high = 0;
  std::uint16_t flags = 0;
  std::uint16_t key_size = 0;

  [[nodiscard]] std::uint32_t value_size() const {
    return low | static_cast<std::uint32_t>(high) << 16;
  }
  [[nodiscard]] std::uint64_t child() const {
    return value_size() | static_cast<std::uint64_t>(flags) << 32;
  }
};
static_assert(sizeof(LmdbNodeHeader) == kLmdbNodeHeaderSize);

struct LmdbTree {
  std::uint32_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t value_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = kLmdbNoPage;
};
static_assert(sizeof(LmdbTree) == 48);

struct LmdbMeta {
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t address = 0;
  std::uint64_t map_size = 0;
  LmdbTree free_list;  // its pad is the page size
  LmdbTree main;
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};
static_assert(sizeof(LmdbMeta) == 136 && offsetof(LmdbMeta, transaction) == 128);

using LmdbPage = std::array<std::byte, kLmdbPageSize>;

template <class T>
T load_at(const LmdbPage& page, std::size_t offset) {
  T value;
  std::memcpy(&value, page.data() + offset, sizeof value);
  return value;
}

}  // namespace revenant::store
