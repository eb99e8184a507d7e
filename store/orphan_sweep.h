// Removes what epochs without a commit left behind.
//
// Images and nodes at or beyond the counters' high-water marks, and dead-list chunks of epochs that
// do not exist, belong to no snapshot (epoch_writer.h I1): they go, in transactions of bounded
// size. The marks are read here, never taken from a caller's memory: a stale one would remove what
// is committed. Interrupted at any point it is simply run again.
//
// Threads: the writer's, while no epoch has a transaction. Errors: as LMDB's.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "store/format.h"
#include "store/lmdb_environment.h"

namespace revenant::store {

// `kept`: keys of images that are no orphans, though no snapshot has them; sorted.
base::Status sweep_orphans(LmdbEnvironment& environment, std::span<const std::uint64_t> kept = {});

}  // namespace revenant::store
