#include "store/lmdb_meta.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "store/files.h"

namespace revenant::store {
namespace {

constexpr std::size_t kLmdbPageSize = 4096;
// Offsets in a meta page: LMDB's file format 1, 64 bits.
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kVersionAt = 20;
constexpr std::size_t kPageSizeAt = 40;
constexpr std::size_t kTransactionAt = 144;
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kVersion = 1;

template <class T>
T load(const std::byte* page, std::size_t offset) {
  T value;
  std::memcpy(&value, page + offset, sizeof value);
  return value;
}

// The meta's transaction id, or nothing if the page is no meta.
std::optional<std::uint64_t> transaction_of(const std::byte* page) {
  if (load<std::uint32_t>(page, kMagicAt) != kMagic) return std::nullopt;
  if (load<std::uint32_t>(page, kVersionAt) != kVersion) return std::nullopt;
  if (load<std::uint32_t>(page, kPageSizeAt) != kLmdbPageSize) return std::nullopt;
  return load<std::uint64_t>(page, kTransactionAt);
}

bool agree(std::uint64_t even, std::uint64_t odd) {
  if (even == 0 && odd == 0) return true;  // nothing committed yet
  // Transaction n is written to page n mod 2.
  if (even % 2 != 0 || (odd % 2 != 1 && odd != 0)) return false;
  return even + 1 == odd || odd + 1 == even;
}

}  // namespace

base::Status check_lmdb_metas(const std::filesystem::path& store) {
  // An owner may commit between the reading of one page and of the other: look again.
  constexpr int kLooks = 20;
  for (int look = 0; look < kLooks; ++look) {
    std::array<std::byte, 2 * kLmdbPageSize> pages{};
    REVENANT_ASSIGN(const std::size_t size, read_start(store / "data.mdb", pages));
    if (size == pages.size()) {
      const auto even = transaction_of(pages.data());
      const auto odd = transaction_of(pages.data() + kLmdbPageSize);
      if (even && odd && agree(*even, *odd)) return {};
    }
  }
  return base::Error{base::ErrorCode::kStoreDamaged,
                     "the store " + store.string() +
                         " is damaged: the two meta pages of its data.mdb do not agree; restore it "
                         "from a copy"};
}

}  // namespace revenant::store
