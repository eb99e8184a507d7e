#include "store/format.h"

#include <xxhash.h>

#include <algorithm>

namespace revenant::store {

Seal seal_of(std::span<const std::byte> key, std::span<const std::byte> record) noexcept {
  const XXH64_hash_t seed = XXH3_64bits(key.data(), key.size());
  const XXH128_hash_t hash = XXH3_128bits_withSeed(record.data(), record.size(), seed);
  return {hash.low64, hash.high64};
}

std::optional<std::span<const std::byte>> unseal(std::span<const std::byte> key,
                                                 std::span<const std::byte> value) noexcept {
  if (value.size() < sizeof(Seal)) return std::nullopt;
  const auto record = value.first(value.size() - sizeof(Seal));
  Seal seal;
  std::memcpy(&seal, value.data() + record.size(), sizeof seal);
  if (seal != seal_of(key, record)) return std::nullopt;
  return record;
}

SnapshotRecord to_record(const SnapshotBytes& bytes) {
  SnapshotRecord record;
  record.revision = {bytes.revision};
  record.parent = {bytes.parent};
  record.branch.assign(bytes.branch.data(), bytes.branch_size);
  record.info = {.build_id = bytes.build_id,
                 .generation = bytes.generation,
                 .wall_time_ns = bytes.wall_time_ns,
                 .pause_us = bytes.pause_us,
                 .threads = bytes.threads,
                 .finished = bytes.finished != 0,
                 .exit_code = bytes.exit_code};
  record.commit_us = bytes.commit_us;
  record.pages_written = bytes.pages_written;
  record.bytes_written = bytes.bytes_written;
  record.pages_total = bytes.pages_total;
  record.root_hash = bytes.root.hash;
  return record;
}

}  // namespace revenant::store
