#include "store/store_state.h"

#include <algorithm>
#include <utility>

#include "store/catalog.h"
#include "store/orphan_sweep.h"

namespace revenant::store {

StoreState::StoreState(const StoreOptions& chosen, OwnedStore store)
    : options(chosen),
      owned(std::move(store)),
      history(*owned.environment),
      fetcher(options.branch),
      writer(*this) {}

StoreState::~StoreState() {
  if (writer.open()) writer.abort();
  fetcher.close();
  note_growth(1);
}

base::Status StoreState::start() {
  REVENANT_TRY(reload());
  leftovers = true;  // for all that is known; I4
  return fetcher.open(environment());
}

base::Status StoreState::reload() {
  stale = true;
  REVENANT_ASSIGN(const auto transaction, environment().begin_read());
  REVENANT_ASSIGN(counters, read_state(transaction));
  REVENANT_ASSIGN(const auto newest, read_head(transaction, options.branch));
  if (!newest && counters.snapshots != 0) {
    REVENANT_ASSIGN(const auto heads, read_heads(transaction));
    if (heads.empty()) return environment().damaged("its branch has lost its head");
  }
  head.reset();
  head_record.reset();
  if (newest) {
    REVENANT_ASSIGN(head, read_snapshot(transaction, {newest->revision}));
    head_record = to_record(*head);
  }
  stale = false;
  return {};
}

base::Status StoreState::prepare_epoch() {
  if (stale) REVENANT_TRY(mend());
  if (!leftovers) return {};
  REVENANT_TRY(sweep_orphans(environment(), parked.keys()));
  leftovers = false;
  return {};
}

base::Result<std::uint64_t> StoreState::count_start(const HostFeatures& host) {
  Identity counted = owned.identity;
  ++counted.generation;
  counted.ran_on.add(host);
  counted.least_data_size = std::max(counted.least_data_size, environment().committed_size());
  REVENANT_TRY(write_identity(options.path, counted));
  owned.identity = counted;
  return counted.generation;
}

void StoreState::committed(const StateBytes& counters_now, const SnapshotBytes& snapshot,
                           std::uint32_t commit_us) {
  counters = counters_now;
  head = snapshot;
  head_record = to_record(snapshot);
  last_commit_us = commit_us;
  leftovers = false;
  note_growth(2);
}

base::Status StoreState::mend() {
  leftovers = true;
  stale = true;
  if (environment().dead()) {
    fetcher.close();
    REVENANT_TRY(environment().reopen());
  }
  if (!fetcher.is_open()) REVENANT_TRY(fetcher.open(environment()));
  return reload();
}

void StoreState::note_growth(std::uint64_t factor) {
  const std::uint64_t size = environment().committed_size();
  const std::uint64_t noted = owned.identity.least_data_size;
  if (size == noted || size < factor * noted) return;
  Identity grown = owned.identity;
  grown.least_data_size = size;
  // The identity's older, lesser size stays true if this fails.
  if (write_identity(options.path, grown).ok()) owned.identity = grown;
}

}  // namespace revenant::store
