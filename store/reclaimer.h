// Deletes old snapshots and frees what they alone held, off the commit path.
//
//   delete_snapshots   records go, dead lists change owner; nothing is freed yet: cheap
//   free_garbage       images and nodes on ownerless dead lists go, in key order, `budget` at once
//
// I1  Each step is one LMDB transaction: at any crash a key is either on a list or gone with its
//     chunk. Garbage is found anew at each start by who owns the lists.
// I2  A head, a tagged snapshot, and one with other than one child are never deleted.
// I3  What is freed is referred to by no retained snapshot (dead_list.h).
//
// Keys are freed sorted and many at once: a thousand scattered records deleted with each commit
// would rewrite a thousand old LMDB pages each time.
//
// Threads: the writer's, while no epoch has a transaction. Errors: kStoreDamaged, kNoSpace,
// kIoFailed; then nothing of the step has happened.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "base/result.h"
#include "store/format.h"
#include "store/lmdb_environment.h"
#include "store/retention.h"

namespace revenant::store {

class Reclaimer {
 public:
  explicit Reclaimer(LmdbEnvironment& environment) : environment_(environment) {}

  // One step of deletion, if the policy asks for one, and one of freeing.
  base::Result<ReclaimReport> step(const Policy& policy, std::size_t budget);

 private:
  base::Status delete_snapshots(const std::vector<base::Epoch>& victims);
  base::Result<bool> free_garbage(std::size_t budget, ReclaimReport& report);

  LmdbEnvironment& environment_;
};

// The snapshots that the policy lets go, oldest first; empty until a batch is worth its while.
// `snapshots` are sorted, `kept` are heads and tagged ones.
std::vector<base::Epoch> choose_victims(const std::vector<SnapshotBytes>& snapshots,
                                        const std::set<base::Epoch>& kept, const Policy& policy);

}  // namespace revenant::store
