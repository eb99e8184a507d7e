#include "store/verify.h"

#include <algorithm>
#include <map>
#include <utility>

#include "store/catalog.h"
#include "store/dead_list.h"
#include "store/lmdb_environment.h"
#include "store/tree_checker.h"

namespace revenant::store {
namespace {

// The whole store: each snapshot against its parent, then all keys against the tables.
class HistoryChecker {
 public:
  HistoryChecker(const Transaction& transaction, const VerifySinks& sinks)
      : transaction_(transaction), sinks_(sinks), trees_(transaction, report_, sinks) {}

  base::Result<VerifyReport> run();

 private:
  KeySet take_parent_keys(base::Epoch parent);
  base::Status bury(const SnapshotBytes& snapshot, KeySet& keys);
  void count(const SnapshotBytes& snapshot, const KeySet& keys);
  base::Status check_snapshot(const SnapshotBytes& snapshot);
  base::Status add_garbage(base::Epoch next);
  base::Status check_names();
  base::Status check_table(Table table, DeadKind kind, std::uint64_t end);

  const Transaction& transaction_;
  const VerifySinks& sinks_;
  VerifyReport report_;
  TreeChecker trees_;
  std::vector<SnapshotBytes> snapshots_;
  std::map<base::Epoch, std::size_t> children_left_;
  std::map<base::Epoch, KeySet> keys_;  // of snapshots whose children are still to come
  KeySet accounted_;                    // every key that has a reason to exist
};

// A copy for all children but the last, which takes the set itself.
KeySet HistoryChecker::take_parent_keys(base::Epoch parent) {
  const auto at = keys_.find(parent);
  if (at == keys_.end()) return {};
  if (--children_left_[parent] > 0) return at->second;
  KeySet keys = std::move(at->second);
  keys_.erase(at);
  return keys;
}

// Removes from the parent's keys what the snapshot's dead list says it no longer has.
base::Status HistoryChecker::bury(const SnapshotBytes& snapshot, KeySet& keys) {
  REVENANT_ASSIGN(const auto chunks, read_dead_list(transaction_, {snapshot.revision}));
  std::uint64_t entries = 0;
  for (const DeadChunk& chunk : chunks) {
    for (const DeadEntry& entry : chunk.entries) {
      ++entries;
      auto& known = keys.of(entry.kind());
      const auto at = known.find(entry.key);
      if (at != known.end() && at->second == entry.birth().value) {
        known.erase(at);
      } else if (keys.complete) {
        trees_.report({snapshot.revision}, std::nullopt,
                      "its dead list names a key that its parent did not have");
      }
    }
  }
  if (entries != snapshot.dead_images + snapshot.dead_nodes) {
    trees_.report({snapshot.revision}, std::nullopt,
                  "its dead list is not as long as its record says");
  }
  return {};
}

void HistoryChecker::count(const SnapshotBytes& snapshot, const KeySet& keys) {
  if (!keys.complete) return;
  if (keys.images.size() != snapshot.pages_total || keys.nodes.size() != snapshot.nodes_total) {
    trees_.report({snapshot.revision}, std::nullopt,
                  "its pages and nodes are not as many as its record says");
  }
}

base::Status HistoryChecker::check_snapshot(const SnapshotBytes& snapshot) {
  const base::Epoch revision{snapshot.revision};
  const base::Epoch parent{snapshot.parent};
  KeySet keys = take_parent_keys(parent);
  if (parent != base::kNoEpoch) {
    REVENANT_TRY(bury(snapshot, keys));
  } else if (snapshot.dead_images + snapshot.dead_nodes != 0) {
    trees_.report(revision, std::nullopt, "it has no parent, and its record counts a dead list");
  }
  trees_.check(revision, snapshot.root, parent, keys);
  count(snapshot, keys);
  accounted_.images.insert(keys.images.begin(), keys.images.end());
  accounted_.nodes.insert(keys.nodes.begin(), keys.nodes.end());
  accounted_.complete &= keys.complete;
  if (children_left_.contains(revision)) keys_.emplace(revision, std::move(keys));
  ++report_.snapshots;
  return {};
}

// Keys on ownerless dead lists wait to be freed: nothing refers to them, and they are no leaks. The
// lists of an epoch that has not committed mean nothing.
base::Status HistoryChecker::add_garbage(base::Epoch next) {
  REVENANT_ASSIGN(const auto owners, dead_list_owners(transaction_));
  for (const base::Epoch owner : owners) {
    const auto at = std::ranges::find(snapshots_, owner.value, &SnapshotBytes::revision);
    if (owner >= next || (at != snapshots_.end() && at->parent != base::kNoEpoch.value)) continue;
    REVENANT_ASSIGN(const auto chunks, read_dead_list(transaction_, owner));
    for (const DeadChunk& chunk : chunks) {
      for (const DeadEntry& entry : chunk.entries) {
        if (accounted_.of(entry.kind()).emplace(entry.key, entry.birth().value).second) continue;
        trees_.report(owner, std::nullopt, "a key that is to be freed is still referred to");
      }
    }
  }
  return {};
}

base::Status HistoryChecker::check_names() {
  REVENANT_ASSIGN(auto names, read_heads(transaction_));
  REVENANT_ASSIGN(const auto tags, read_tags(transaction_));
  if (names.empty() && !snapshots_.empty()) {
    trees_.report(base::kNoEpoch, std::nullopt, "the head of its branch is missing");
  }
  names.insert(names.end(), tags.begin(), tags.end());
  for (const NamedRevision& name : names) {
    const auto at = std::ranges::find(snapshots_, name.revision.value, &SnapshotBytes::revision);
    if (at == snapshots_.end()) {
      trees_.report(name.revision, std::nullopt,
                    "the name " + name.name + " stands for a snapshot that is not there");
    }
  }
  return {};
}

// Every key of the table below `end` (what lies beyond belongs to an epoch under way) must have a
// reason to exist, and every key with a reason must be there.
base::Status HistoryChecker::check_table(Table table, DeadKind kind, std::uint64_t end) {
  auto& accounted = accounted_.of(kind);
  REVENANT_ASSIGN(Cursor cursor, Cursor::open(transaction_, table));
  const std::uint64_t first = 0;
  std::uint64_t leaked = 0;
  Lookup found = cursor.seek(integer_key(first));
  for (; found == Lookup::kFound; found = cursor.next()) {
    const auto key = cursor.integer();
    if (!key.has_value() || *key >= end) break;
    if (accounted.erase(*key) == 0) ++leaked;
  }
  if (found == Lookup::kFailed) {
    trees_.report(base::kNoEpoch, std::nullopt, "a table of data.mdb cannot be read to its end");
    return {};
  }
  const char* const what = kind == DeadKind::kImage ? " images" : " tree nodes";
  if (leaked != 0 && accounted_.complete) {
    trees_.report(base::kNoEpoch, std::nullopt,
                  std::to_string(leaked) + what + " belong to no snapshot");
  }
  if (!accounted.empty()) {
    trees_.report(base::kNoEpoch, std::nullopt,
                  std::to_string(accounted.size()) + what + " are missing");
  }
  return {};
}

base::Result<VerifyReport> HistoryChecker::run() {
  REVENANT_ASSIGN(snapshots_, read_snapshots(transaction_));
  REVENANT_ASSIGN(const StateBytes state, read_state(transaction_));
  for (const SnapshotBytes& snapshot : snapshots_) ++children_left_[{snapshot.parent}];
  for (const SnapshotBytes& snapshot : snapshots_) {
    REVENANT_TRY(check_snapshot(snapshot));
    if (sinks_.progress) sinks_.progress(report_);
  }
  if (state.snapshots != snapshots_.size()) {
    trees_.report(base::kNoEpoch, std::nullopt, "a snapshot's record is missing");
  }
  REVENANT_TRY(check_names());
  REVENANT_TRY(add_garbage({state.next_epoch}));
  REVENANT_TRY(check_table(Table::kImages, DeadKind::kImage, state.next_image));
  REVENANT_TRY(check_table(Table::kNodes, DeadKind::kNode, state.next_node));
  return report_;
}

// Damage on the way to the snapshots is a finding like any other, and nothing more can be walked.
base::Result<VerifyReport> only_finding(const base::Error& error, const VerifySinks& sinks) {
  if (error.code != base::ErrorCode::kStoreDamaged) return error;
  if (sinks.finding) sinks.finding({base::kNoEpoch, std::nullopt, error.message});
  return VerifyReport{.findings = 1};
}

}  // namespace

base::Result<VerifyReport> verify_snapshot(const History& history, base::Epoch revision,
                                           const VerifySinks& sinks) {
  const base::Status structure = history.environment().check_structure(StructureExtent::kTrees);
  if (!structure.ok()) return only_finding(structure.error(), sinks);
  REVENANT_ASSIGN(const auto transaction, history.environment().begin_read());
  REVENANT_ASSIGN(const SnapshotBytes snapshot, read_snapshot(transaction, revision));
  VerifyReport report;
  KeySet keys;
  TreeChecker(transaction, report, sinks).check(revision, snapshot.root, base::kNoEpoch, keys);
  report.snapshots = 1;
  return report;
}

base::Result<VerifyReport> verify_all(const History& history, const VerifySinks& sinks) {
  const base::Status structure = history.environment().check_structure(StructureExtent::kPages);
  if (!structure.ok()) return only_finding(structure.error(), sinks);
  REVENANT_ASSIGN(const auto transaction, history.environment().begin_read());
  auto report = HistoryChecker(transaction, sinks).run();
  return report.ok() ? report : only_finding(report.error(), sinks);
}

}  // namespace revenant::store
