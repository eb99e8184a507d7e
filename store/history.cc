#include "store/history.h"

#include "store/catalog.h"
#include "store/lmdb_environment.h"

namespace revenant::store {
namespace {

base::Status add_tags(const Transaction& transaction, std::vector<SnapshotRecord>& records) {
  REVENANT_ASSIGN(const auto tags, read_tags(transaction));
  for (const NamedRevision& tag : tags) {
    for (SnapshotRecord& record : records) {
      if (record.revision == tag.revision) record.tags.push_back(tag.name);
    }
  }
  return {};
}

base::Result<SnapshotRecord> record_with_tags(const Transaction& transaction,
                                              base::Epoch revision) {
  REVENANT_ASSIGN(const SnapshotBytes bytes, read_snapshot(transaction, revision));
  std::vector<SnapshotRecord> records{to_record(bytes)};
  REVENANT_TRY(add_tags(transaction, records));
  return std::move(records.front());
}

}  // namespace

base::Result<std::vector<SnapshotRecord>> History::snapshots() const {
  REVENANT_ASSIGN(const auto transaction, environment_->begin_read());
  REVENANT_ASSIGN(const auto snapshots, read_snapshots(transaction));
  REVENANT_ASSIGN(const StateBytes state, read_state(transaction));
  if (state.snapshots != snapshots.size()) {
    return environment_->damaged("the record of a snapshot is missing");
  }
  std::vector<SnapshotRecord> records;
  records.reserve(snapshots.size());
  for (const SnapshotBytes& snapshot : snapshots) records.push_back(to_record(snapshot));
  REVENANT_TRY(add_tags(transaction, records));
  return records;
}

base::Result<SnapshotRecord> History::snapshot(base::Epoch revision) const {
  REVENANT_ASSIGN(const auto transaction, environment_->begin_read());
  return record_with_tags(transaction, revision);
}

base::Result<std::optional<SnapshotRecord>> History::head(std::string_view branch) const {
  REVENANT_ASSIGN(const auto transaction, environment_->begin_read());
  REVENANT_ASSIGN(const auto head, read_head(transaction, branch));
  if (!head) return std::optional<SnapshotRecord>();
  REVENANT_ASSIGN(SnapshotRecord record, record_with_tags(transaction, {head->revision}));
  return std::optional<SnapshotRecord>(std::move(record));
}

base::Result<std::vector<BranchHead>> History::branches() const {
  REVENANT_ASSIGN(const auto transaction, environment_->begin_read());
  REVENANT_ASSIGN(const auto heads, read_heads(transaction));
  std::vector<BranchHead> branches;
  branches.reserve(heads.size());
  for (const NamedRevision& head : heads) branches.push_back({head.name, head.revision});
  return branches;
}

base::Result<std::vector<Tag>> History::tags() const {
  REVENANT_ASSIGN(const auto transaction, environment_->begin_read());
  REVENANT_ASSIGN(const auto named, read_tags(transaction));
  std::vector<Tag> tags;
  tags.reserve(named.size());
  for (const NamedRevision& tag : named) tags.push_back({tag.name, tag.revision});
  return tags;
}

base::Result<SnapshotView> History::view(base::Epoch revision) const {
  REVENANT_ASSIGN(auto transaction, environment_->begin_read());
  auto held = std::make_unique<ReadTransaction>(std::move(transaction));
  REVENANT_ASSIGN(const SnapshotBytes bytes, read_snapshot(*held, revision));
  REVENANT_ASSIGN(SnapshotRecord record, record_with_tags(*held, revision));
  return SnapshotView(std::move(held), std::move(record), bytes.root);
}

}  // namespace revenant::store
