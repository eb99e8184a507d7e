#include "store/reclaimer.h"

#include <algorithm>

#include "store/catalog.h"
#include "store/dead_list.h"

namespace revenant::store {
namespace {

// Nodes differ in size; for weighing history against the head an average does.
constexpr std::uint64_t kTypicalNodeBytes = 400;

std::uint64_t dead_bytes(const SnapshotBytes& snapshot) {
  return snapshot.dead_images * base::kPageSize + snapshot.dead_nodes * kTypicalNodeBytes;
}

using Children = std::map<base::Epoch, std::vector<base::Epoch>>;

Children children_of(const std::vector<SnapshotBytes>& snapshots) {
  Children children;
  for (const SnapshotBytes& snapshot : snapshots) {
    children[{snapshot.parent}].push_back({snapshot.revision});
  }
  return children;
}

// Heads and tagged snapshots. I2
base::Result<std::set<base::Epoch>> read_kept(const Transaction& transaction) {
  std::set<base::Epoch> kept;
  REVENANT_ASSIGN(const auto heads, read_heads(transaction));
  REVENANT_ASSIGN(const auto tags, read_tags(transaction));
  for (const NamedRevision& head : heads) kept.insert(head.revision);
  for (const NamedRevision& tag : tags) kept.insert(tag.revision);
  return kept;
}

// Gives dead(S) and dead(N) their places once S, which has a parent, is gone (dead_list.h).
base::Status join_dead_lists(WriteTransaction& transaction, const SnapshotBytes& victim,
                             SnapshotBytes& child) {
  REVENANT_ASSIGN(auto chunks, read_dead_list(transaction, {child.revision}));
  REVENANT_ASSIGN(const auto inherited, read_dead_list(transaction, {victim.revision}));
  DeadListWriter joined({child.revision});
  // Ownerless, and numbered apart from all others: a snapshot is deleted once.
  DeadListWriter garbage(base::kNoEpoch, victim.revision << 20);
  for (const DeadChunk& chunk : chunks) REVENANT_TRY(erase_chunk(transaction, chunk));
  for (const DeadChunk& chunk : inherited) {
    REVENANT_TRY(erase_chunk(transaction, chunk));
    for (const DeadEntry& entry : chunk.entries) REVENANT_TRY(joined.add(transaction, entry));
  }
  for (const DeadChunk& chunk : chunks) {
    for (const DeadEntry& entry : chunk.entries) {
      const bool held_by_victim_alone = entry.birth().value > victim.parent;
      REVENANT_TRY((held_by_victim_alone ? garbage : joined).add(transaction, entry));
    }
  }
  REVENANT_TRY(joined.finish(transaction));
  REVENANT_TRY(garbage.finish(transaction));
  child.dead_images = joined.images();
  child.dead_nodes = joined.nodes();
  return {};
}

base::Status delete_snapshot(WriteTransaction& transaction, base::Epoch revision,
                             base::Epoch child_revision) {
  REVENANT_ASSIGN(const SnapshotBytes victim, read_snapshot(transaction, revision));
  REVENANT_ASSIGN(SnapshotBytes child, read_snapshot(transaction, child_revision));
  child.parent = victim.parent;
  if (victim.parent == base::kNoEpoch.value) {
    child.dead_images = child.dead_nodes = 0;  // its whole list is garbage now
  } else {
    REVENANT_TRY(join_dead_lists(transaction, victim, child));
  }
  REVENANT_TRY(transaction.erase(Table::kCatalog, CatalogKey::snapshot(revision).bytes()));
  return write_snapshot(transaction, child);
}

// The owners whose dead lists nothing needs any more (dead_list.h I1).
base::Result<std::vector<base::Epoch>> garbage_owners(const Transaction& transaction) {
  REVENANT_ASSIGN(const auto snapshots, read_snapshots(transaction));
  REVENANT_ASSIGN(const auto state, read_state(transaction));
  REVENANT_ASSIGN(auto owners, dead_list_owners(transaction));
  std::set<base::Epoch> needed;
  for (const SnapshotBytes& snapshot : snapshots) {
    if (snapshot.parent != base::kNoEpoch.value) needed.insert({snapshot.revision});
  }
  std::erase_if(owners, [&](base::Epoch owner) {
    return needed.contains(owner) || owner.value >= state.next_epoch;
  });
  return owners;
}

// Chunks of garbage, up to about `budget` entries.
base::Result<std::vector<DeadChunk>> collect_garbage(const Transaction& transaction,
                                                     std::size_t budget) {
  std::vector<DeadChunk> garbage;
  std::size_t chunks_left = std::max<std::size_t>(budget / kDeadEntriesPerChunk, 1);
  REVENANT_ASSIGN(const auto owners, garbage_owners(transaction));
  for (const base::Epoch owner : owners) {
    if (chunks_left == 0) break;
    REVENANT_ASSIGN(auto chunks, read_dead_list(transaction, owner, chunks_left));
    chunks_left -= chunks.size();
    std::ranges::move(chunks, std::back_inserter(garbage));
  }
  return garbage;
}

base::Status erase_sorted(WriteTransaction& transaction, Table table,
                          std::vector<std::uint64_t>& keys) {
  std::ranges::sort(keys);
  for (const std::uint64_t key : keys) {
    REVENANT_TRY(transaction.erase(table, integer_key(key)));
  }
  return {};
}

}  // namespace

std::vector<base::Epoch> choose_victims(const std::vector<SnapshotBytes>& snapshots,
                                        const std::set<base::Epoch>& kept, const Policy& policy) {
  std::vector<base::Epoch> victims;
  if (snapshots.empty()) return victims;
  std::uint64_t history = 0;
  for (const SnapshotBytes& snapshot : snapshots) history += dead_bytes(snapshot);
  const std::uint64_t allowed =
      std::max(policy.history_bytes, snapshots.back().pages_total * std::uint64_t{base::kPageSize});
  const bool too_large = history > allowed;
  const bool too_many = snapshots.size() >= std::size_t{policy.last} + policy.batch;
  if (!too_large && !too_many) return victims;
  const Children children = children_of(snapshots);
  std::size_t left = snapshots.size();
  for (std::size_t i = 0; i < snapshots.size() && victims.size() < policy.batch; ++i) {
    const base::Epoch revision{snapshots[i].revision};
    const bool enough = left <= policy.last && (history <= allowed || left <= policy.least);
    if (enough) break;
    const auto mine = children.find(revision);
    if (kept.contains(revision) || mine == children.end() || mine->second.size() != 1) continue;
    victims.push_back(revision);
    --left;
    // What its child buries is what goes with it, as long as it is the oldest.
    if (i + 1 < snapshots.size()) history -= std::min(history, dead_bytes(snapshots[i + 1]));
  }
  return victims;
}

base::Status Reclaimer::delete_snapshots(const std::vector<base::Epoch>& victims) {
  REVENANT_ASSIGN(auto transaction, environment_.begin_write());
  for (const base::Epoch victim : victims) {
    REVENANT_ASSIGN(const auto snapshots, read_snapshots(transaction));
    const Children children = children_of(snapshots);
    REVENANT_TRY(delete_snapshot(transaction, victim, children.at(victim).front()));
  }
  REVENANT_ASSIGN(StateBytes state, read_state(transaction));
  state.snapshots -= victims.size();
  REVENANT_TRY(write_state(transaction, state));
  return transaction.commit();
}

// False: there was none.
base::Result<bool> Reclaimer::free_garbage(std::size_t budget, ReclaimReport& report) {
  std::vector<DeadChunk> garbage;
  {
    REVENANT_ASSIGN(const auto reading, environment_.begin_read());
    REVENANT_ASSIGN(garbage, collect_garbage(reading, budget));
  }
  if (garbage.empty()) return false;
  REVENANT_ASSIGN(auto transaction, environment_.begin_write());
  std::vector<std::uint64_t> images;
  std::vector<std::uint64_t> nodes;
  for (const DeadChunk& chunk : garbage) {
    REVENANT_TRY(erase_chunk(transaction, chunk));
    for (const DeadEntry& entry : chunk.entries) {
      (entry.kind() == DeadKind::kImage ? images : nodes).push_back(entry.key);
    }
  }
  REVENANT_TRY(erase_sorted(transaction, Table::kImages, images));
  REVENANT_TRY(erase_sorted(transaction, Table::kNodes, nodes));
  REVENANT_TRY(transaction.commit());
  report.images_freed += images.size();
  report.nodes_freed += nodes.size();
  return true;
}

base::Result<ReclaimReport> Reclaimer::step(const Policy& policy, std::size_t budget) {
  ReclaimReport report;
  std::vector<base::Epoch> victims;
  {
    REVENANT_ASSIGN(const auto transaction, environment_.begin_read());
    REVENANT_ASSIGN(const auto snapshots, read_snapshots(transaction));
    REVENANT_ASSIGN(const auto kept, read_kept(transaction));
    victims = choose_victims(snapshots, kept, policy);
  }
  if (!victims.empty()) {
    REVENANT_TRY(delete_snapshots(victims));
    report.snapshots_deleted = victims.size();
  }
  REVENANT_ASSIGN(report.more, free_garbage(budget, report));
  report.more |= !victims.empty();
  return report;
}

}  // namespace revenant::store
