// The read side of a store: which snapshots there are, and views of them.
//
// Each call reads in a transaction of its own and sees the newest commit; it works while an owner,
// here or in another process, goes on committing.
//
// Threads: any, several at once, never in a signal handler (allocates).
// Errors: kStoreDamaged, kNoSuchRevision, kNotFound, kIoFailed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "store/snapshot_record.h"
#include "store/snapshot_view.h"

namespace revenant::store {

class LmdbEnvironment;

struct BranchHead {
  std::string branch;
  base::Epoch revision;
};

struct Tag {
  std::string name;
  base::Epoch revision;
};

class History {
 public:
  explicit History(LmdbEnvironment& environment) : environment_(&environment) {}

  // All retained snapshots, oldest first.
  [[nodiscard]] base::Result<std::vector<SnapshotRecord>> snapshots() const;
  [[nodiscard]] base::Result<SnapshotRecord> snapshot(base::Epoch revision) const;
  // The head of a branch; nothing when the branch has no snapshot yet.
  [[nodiscard]] base::Result<std::optional<SnapshotRecord>> head(std::string_view branch) const;
  [[nodiscard]] base::Result<std::vector<BranchHead>> branches() const;
  [[nodiscard]] base::Result<std::vector<Tag>> tags() const;

  [[nodiscard]] base::Result<SnapshotView> view(base::Epoch revision) const;

  [[nodiscard]] LmdbEnvironment& environment() const { return *environment_; }

 private:
  LmdbEnvironment* environment_;
};

}  // namespace revenant::store
