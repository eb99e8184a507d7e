#include "store/hash.h"

#include <xxhash.h>

#include "base/units.h"

namespace revenant::store {

ContentHash hash_bytes(std::span<const std::byte> bytes) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

ContentHash hash_page(const std::byte* page) noexcept {
  return hash_bytes({page, base::kPageSize});
}

}  // namespace revenant::store
