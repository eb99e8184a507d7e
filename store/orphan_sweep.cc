#include "store/orphan_sweep.h"

#include "store/catalog.h"
#include "store/dead_list.h"
#include "store/lmdb_transaction.h"

namespace revenant::store {
namespace {

constexpr std::size_t kErasuresPerTransaction = 16'384;

// Whether the table has a key at or beyond `first`.
base::Result<bool> has_beyond(const Transaction& transaction, Table table, std::uint64_t first) {
  REVENANT_ASSIGN(Cursor cursor, Cursor::open(transaction, table));
  const Lookup found = cursor.seek(integer_key(first));
  if (found == Lookup::kFailed) return transaction.environment().damaged("a table is broken");
  return found == Lookup::kFound;
}

// Erases a bounded number of keys at or beyond `first`, but for those kept. True: none is left.
base::Result<bool> erase_some(WriteTransaction& transaction, Table table, std::uint64_t first,
                              std::span<const std::uint64_t> kept) {
  REVENANT_ASSIGN(Cursor cursor, Cursor::open(transaction, table));
  std::size_t erased = 0;
  for (const std::uint64_t last : kept) {  // up to each of them, then on behind it
    Lookup found = cursor.seek(integer_key(first));
    while (found == Lookup::kFound && cursor.integer() < last) {
      if (erased++ == kErasuresPerTransaction) return false;
      REVENANT_TRY(cursor.erase());
      found = cursor.next();
    }
    if (found == Lookup::kFailed) return transaction.environment().damaged("a table is broken");
    first = last + 1;
  }
  Lookup found = cursor.seek(integer_key(first));
  for (; found == Lookup::kFound; ++erased) {
    if (erased == kErasuresPerTransaction) return false;
    REVENANT_TRY(cursor.erase());
    found = cursor.next();
  }
  if (found == Lookup::kFailed) return transaction.environment().damaged("a table is broken");
  return true;
}

base::Status sweep_table(LmdbEnvironment& environment, Table table, std::uint64_t first,
                         std::span<const std::uint64_t> kept) {
  for (bool done = false; !done;) {
    REVENANT_ASSIGN(auto transaction, environment.begin_write());
    REVENANT_ASSIGN(done, erase_some(transaction, table, first, kept));
    REVENANT_TRY(transaction.commit());
  }
  return {};
}

base::Status sweep_dead_lists(LmdbEnvironment& environment, const std::vector<base::Epoch>& owners,
                              base::Epoch next) {
  for (const base::Epoch owner : owners) {
    if (owner < next) continue;
    REVENANT_ASSIGN(auto transaction, environment.begin_write());
    REVENANT_ASSIGN(const auto chunks, read_dead_list(transaction, owner));
    for (const DeadChunk& chunk : chunks) REVENANT_TRY(erase_chunk(transaction, chunk));
    REVENANT_TRY(transaction.commit());
  }
  return {};
}

struct Orphans {
  StateBytes state;
  bool images = false;
  bool nodes = false;
  std::vector<base::Epoch> dead_list_owners;
};

base::Result<Orphans> find_orphans(LmdbEnvironment& environment) {
  Orphans orphans;
  REVENANT_ASSIGN(const auto transaction, environment.begin_read());
  REVENANT_ASSIGN(orphans.state, read_state(transaction));
  REVENANT_ASSIGN(orphans.images,
                  has_beyond(transaction, Table::kImages, orphans.state.next_image));
  REVENANT_ASSIGN(orphans.nodes, has_beyond(transaction, Table::kNodes, orphans.state.next_node));
  REVENANT_ASSIGN(orphans.dead_list_owners, dead_list_owners(transaction));
  return orphans;
}

}  // namespace

base::Status sweep_orphans(LmdbEnvironment& environment, std::span<const std::uint64_t> kept) {
  REVENANT_ASSIGN(const Orphans orphans, find_orphans(environment));
  const StateBytes& state = orphans.state;
  if (orphans.images) {
    REVENANT_TRY(sweep_table(environment, Table::kImages, state.next_image, kept));
  }
  if (orphans.nodes) REVENANT_TRY(sweep_table(environment, Table::kNodes, state.next_node, {}));
  return sweep_dead_lists(environment, orphans.dead_list_owners, {state.next_epoch});
}

}  // namespace revenant::store
