// What the store says about one snapshot, as callers see it (format.h has the bytes).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "store/hash.h"

namespace revenant::store {

// The linker's build-id note, zero-padded or cut to 20 bytes.
using BuildId = std::array<std::uint8_t, 20>;

// 128 random bits drawn when a store is created.
using StoreId = std::array<std::uint8_t, 16>;

// What the runtime says about the snapshot it commits.
struct SnapshotInfo {
  BuildId build_id{};
  std::uint64_t generation = 0;
  std::int64_t wall_time_ns = 0;  // since 1970, UTC
  std::uint32_t pause_us = 0;
  std::uint32_t threads = 0;
  bool finished = false;  // main has returned: later starts only report `exit_code`
  std::int32_t exit_code = 0;
};

// One committed snapshot.
struct SnapshotRecord {
  base::Epoch revision;
  base::Epoch parent;  // kNoEpoch: the first one that is left of its branch
  std::string branch;
  SnapshotInfo info;
  std::uint32_t commit_us = 0;  // known once the next snapshot has committed; 0 until then
  std::uint64_t pages_written = 0;
  std::uint64_t bytes_written = 0;  // images and tree nodes
  std::uint64_t pages_total = 0;
  ContentHash root_hash;          // vouches for every node and image of the snapshot
  std::vector<std::string> tags;  // filled by History
};

}  // namespace revenant::store
