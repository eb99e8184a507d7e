// What people call a snapshot, and which one they mean.
//
//   BASE[~N]     the N-th parent of BASE
//   BASE is      a number | latest | @AGE, as @10m | a branch | a tag
//
// R1  Digits alone are a number, `latest` is the newest of all branches; no branch or tag hides
//     them.
// R2  @AGE is the newest snapshot that is at least that old.
// R3  A branch hides a tag of the same name.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/history.h"

namespace revenant::cli {

// What a store has: enough to find any snapshot by name.
struct Names {
  std::vector<store::SnapshotRecord> snapshots;  // oldest first
  std::vector<store::BranchHead> branches;
  std::vector<store::Tag> tags;
};

base::Result<Names> read_names(const store::History& history);

// kNoSuchRevision if there is none such; kUsage if it cannot be any.
base::Result<store::SnapshotRecord> find_revision(const Names& names, std::string_view text,
                                                  std::int64_t now_ns);

// read_names and find_revision, now.
base::Result<store::SnapshotRecord> find_revision(const store::History& history,
                                                  std::string_view text);

std::int64_t wall_now_ns();

}  // namespace revenant::cli
