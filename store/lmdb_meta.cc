#include "store/lmdb_meta.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "store/files.h"
#include "store/format.h"
#include "store/lmdb_layout.h"

namespace revenant::store {
namespace {

// The meta's transaction id, or nothing if the page is no meta.
std::optional<std::uint64_t> transaction_of(const LmdbPage& page) {
  const auto meta = load_at<LmdbMeta>(page, kLmdbHeaderSize);
  if (meta.magic != kLmdbMagic || meta.version != kLmdbVersion) return std::nullopt;
  if (meta.free_list.pad != kLmdbPageSize) return std::nullopt;
  return meta.transaction;
}

std::uint64_t check_of(const MetaSealBytes& seal) {
  return hash_bytes(std::as_bytes(std::span(&seal, 1)).first(offsetof(MetaSealBytes, check))).low;
}

// The hash of the page's meta, as if it were that of commit `transaction`.
ContentHash hash_of(const LmdbPage& page, std::uint64_t transaction) {
  std::array<std::byte, kSealedMetaSize> meta;
  std::memcpy(meta.data(), page.data(), meta.size());
  std::memcpy(meta.data() + kLmdbHeaderSize + offsetof(LmdbMeta, transaction), &transaction,
              sizeof transaction);
  return hash_bytes(meta);
}

// The table of the header.
bool is_whole(const LmdbPage& page, std::uint64_t transaction, bool newest) {
  const auto seal = load_at<MetaSealBytes>(page, kMetaSealAt);
  if (seal.check != check_of(seal)) return true;
  if (seal.transaction > transaction) return false;
  const bool as_sealed = hash_of(page, seal.transaction) == seal.meta;
  return seal.transaction == transaction ? as_sealed || !newest : !as_sealed;
}

bool agree(std::uint64_t even, std::uint64_t odd) {
  if (even == 0 && odd == 0) return true;  // nothing committed yet
  // Transaction n is written to page n mod 2.
  if (even % 2 != 0 || (odd % 2 != 1 && odd != 0)) return false;
  return even + 1 == odd || odd + 1 == even;
}

bool are_whole(const std::array<LmdbPage, 2>& pages) {
  const auto even = transaction_of(pages[0]);
  const auto odd = transaction_of(pages[1]);
  if (!even || !odd || !agree(*even, *odd)) return false;
  return is_whole(pages[0], *even, *even > *odd) && is_whole(pages[1], *odd, *odd > *even);
}

}  // namespace

base::Status check_lmdb_metas(const std::filesystem::path& store) {
  // An owner may commit between the reading of one page and of the other: look again.
  constexpr int kLooks = 20;
  for (int look = 0; look < kLooks; ++look) {
    std::array<LmdbPage, 2> pages{};
    const auto bytes = std::as_writable_bytes(std::span(pages));
    REVENANT_ASSIGN(const std::size_t size, read_start(store / "data.mdb", bytes));
    if (size == bytes.size() && are_whole(pages)) return {};
  }
  return base::Error{base::ErrorCode::kStoreDamaged,
                     "the store " + store.string() +
                         " is damaged: the meta pages of its data.mdb are not what was written; "
                         "restore it from a copy"};
}

void seal_lmdb_meta(int file, std::uint64_t transaction) {
  LmdbPage page{};
  const auto at = static_cast<off_t>(transaction % 2 * kLmdbPageSize);
  if (::pread(file, page.data(), kSealedMetaSize, at) != kSealedMetaSize) return;
  if (transaction_of(page) != transaction) return;
  MetaSealBytes seal{.transaction = transaction, .meta = hash_of(page, transaction)};
  seal.check = check_of(seal);
  (void)!::pwrite(file, &seal, sizeof seal, at + static_cast<off_t>(kMetaSealAt));  // I2
}

}  // namespace revenant::store
