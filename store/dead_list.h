// Dead lists: for each snapshot, the keys that its parent refers to and it does not.
//
//   parent P ----- snapshot S ----- child N          (ZFS's dead lists)
//                  dead(S) = P \ S  dead(N) = S \ N
//
//   Deleting S: of dead(N), what was born after P was held by S alone and is freed; the rest joins
//   dead(S) as the new dead(N) = P \ N. If S had no parent, all of dead(N) is freed.
//
// I1  A list belongs to the snapshot under whose number its chunks are kept. Chunks whose owner is
//     no retained snapshot with a parent are garbage: nothing refers to their keys any more. So
//     deleting the oldest snapshot moves nothing.
// I2  Chunks of an epoch that is not committed are numbered at or beyond the committed next epoch;
//     the sweep removes them.
//
// Threads and transactions: the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/format.h"
#include "store/lmdb_transaction.h"

namespace revenant::store {

// Collects entries and writes a chunk whenever one is full.
class DeadListWriter {
 public:
  // Chunks are numbered from `first_chunk` on.
  explicit DeadListWriter(base::Epoch owner, std::uint64_t first_chunk = 0)
      : owner_(owner), next_chunk_(first_chunk) {
    entries_.reserve(kDeadEntriesPerChunk);
  }

  base::Status add(WriteTransaction& transaction, const DeadEntry& entry);
  // Writes what has not filled a chunk.
  base::Status finish(WriteTransaction& transaction);

  [[nodiscard]] std::uint64_t images() const { return images_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  base::Epoch owner_;
  std::uint64_t next_chunk_;
  std::uint64_t images_ = 0;
  std::uint64_t nodes_ = 0;
  std::vector<DeadEntry> entries_;
};

// One chunk as it lies in the catalog.
struct DeadChunk {
  base::Epoch owner;
  std::uint64_t number = 0;
  std::vector<DeadEntry> entries;
};

// Chunks of one owner in order, at most `limit` of them.
base::Result<std::vector<DeadChunk>> read_dead_list(const Transaction& transaction,
                                                    base::Epoch owner,
                                                    std::size_t limit = ~std::size_t{0});
// The owners that have chunks, in order.
base::Result<std::vector<base::Epoch>> dead_list_owners(const Transaction& transaction);

base::Status erase_chunk(WriteTransaction& transaction, const DeadChunk& chunk);

}  // namespace revenant::store
