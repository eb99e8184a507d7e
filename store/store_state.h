// What a store's owner keeps in memory, shared by the parts behind the door.
//
// I1  `counters` and `head` are what the newest commit says, or `stale` is set: nothing is written
//     before they could be read again. It is set ahead of whatever may change them, since that may
//     also end by std::bad_alloc.
// I2  `leftovers` is set whenever a transaction of an epoch committed and the epoch has not (yet):
//     one of an earlier start's, perhaps. What is parked is none.
// I3  When the environment has died, mend() has succeeded before anything else is tried. Until then
//     the store is unavailable: `stale` is set and fetches wait.
// I4  A start is counted in the identity, and data.mdb is first written by its first epoch: all of
//     it has to be checked before that (lmdb_environment.h I7), which a large store would slow
//     down.
//
// Threads: the writer's, but for `fetcher` and `history`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/creation.h"
#include "store/format.h"
#include "store/history.h"
#include "store/page_fetcher.h"
#include "store/parked_images.h"
#include "store/store.h"

namespace revenant::store {

class StoreState {
 public:
  StoreState(const StoreOptions& chosen, OwnedStore store);
  ~StoreState();

  // Reads the counters, opens the fetcher.
  base::Status start();
  // Reads `counters` and `head`. I1
  base::Status reload();
  // Before an epoch's first transaction: mends and sweeps if need be.
  base::Status prepare_epoch();
  // I4
  base::Result<std::uint64_t> count_start(const HostFeatures& host);
  // After an epoch's commit.
  void committed(const StateBytes& counters_now, const SnapshotBytes& snapshot,
                 std::uint32_t commit_us);
  // After a failure: opens a dead environment again, and reads what it holds. Should that fail,
  // too, `stale` stays set, and whatever is tried next begins with it. I3
  base::Status mend();

  // Lets the identity file know that what is committed in data.mdb, which never shrinks, has grown
  // to `factor` times the size noted there, or beyond.
  void note_growth(std::uint64_t factor);

  [[nodiscard]] LmdbEnvironment& environment() { return *owned.environment; }

  const StoreOptions options;
  OwnedStore owned;
  const History history;
  PageFetcher fetcher;
  StateBytes counters;
  std::optional<SnapshotBytes> head;
  std::optional<SnapshotRecord> head_record;
  bool leftovers = false;
  bool stale = false;
  // How long the newest commit took: written into its record by the next one.
  std::uint32_t last_commit_us = 0;
  ParkedImages parked{*this};
  EpochWriter writer;
};

}  // namespace revenant::store
