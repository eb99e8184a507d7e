// The catalog's records, sealed and checked: counters, heads, snapshots, tags.
//
// I1  Exactly one state record exists from the first commit on.
// I2  A head names a retained snapshot; so does a tag.
//
// Threads and transactions: the caller's. Errors: kStoreDamaged (a seal that does not fit, a record
// that is missing where I1 or I2 say it exists), kNoSuchRevision, kIoFailed.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/format.h"
#include "store/lmdb_transaction.h"

namespace revenant::store {

base::Result<StateBytes> read_state(const Transaction& transaction);
base::Status write_state(WriteTransaction& transaction, const StateBytes& state);

base::Result<std::optional<HeadBytes>> read_head(const Transaction& transaction,
                                                 std::string_view branch);
base::Status write_head(WriteTransaction& transaction, std::string_view branch,
                        const HeadBytes& head);

base::Result<SnapshotBytes> read_snapshot(const Transaction& transaction, base::Epoch revision);
base::Status write_snapshot(WriteTransaction& transaction, const SnapshotBytes& snapshot);
// All snapshots, oldest first.
base::Result<std::vector<SnapshotBytes>> read_snapshots(const Transaction& transaction);

base::Result<std::optional<TagBytes>> read_tag(const Transaction& transaction,
                                               std::string_view name);
base::Status write_tag(WriteTransaction& transaction, std::string_view name, const TagBytes& tag);

struct NamedRevision {
  std::string name;
  base::Epoch revision;
};
base::Result<std::vector<NamedRevision>> read_heads(const Transaction& transaction);
base::Result<std::vector<NamedRevision>> read_tags(const Transaction& transaction);

// Writes `record` under `key` with its seal.
base::Status put_sealed(WriteTransaction& transaction, std::span<const std::byte> key,
                        std::span<const std::byte> record);

// Visits the catalog entries whose keys begin with `letter`, seals checked, in key order.
using CatalogVisitor =
    std::function<base::Status(std::span<const std::byte> key, std::span<const std::byte> record)>;
base::Status for_each_sealed(const Transaction& transaction, char letter,
                             const CatalogVisitor& visitor);

}  // namespace revenant::store
