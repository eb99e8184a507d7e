// How a store comes into being, whole or not at all.
//
//   PARENT/.NAME.new-XXXXXX/   made 0700; its lock taken; identity, data.mdb with a first commit
//       | everything synced, then renamed
//   PARENT/NAME/               and PARENT synced
//
// I1  The owner lock is taken inside the temporary directory and travels with the rename: nobody
//     owns the store between its appearing and its creator.
// I2  Of two creators one rename wins; the loser finds a directory that is not empty, removes its
//     own, and is told that the store is in use (or opens it, if the winner is gone by then).
// I3  A temporary directory whose lock can be taken has lost its creator, or its creator has yet to
//     lock it: it is removed under that lock, and a creator that finds it gone begins again.
//
// Errors: kIoFailed, kNoSpace, kNotFound (no parent).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/identity.h"
#include "store/lmdb_environment.h"
#include "store/owner_lock.h"

namespace revenant::store {

// An open store that this process owns.
struct OwnedStore {
  OwnerLock lock;
  Identity identity;
  std::unique_ptr<LmdbEnvironment> environment;
  bool created = false;
};

// Creates the store at `path`; nothing if another creator was first.
base::Result<std::optional<OwnedStore>> create_store(const std::filesystem::path& path,
                                                     const std::string& program,
                                                     std::uint64_t map_bytes);

// Removes what killed creators of the store at `path` left beside it.
void remove_leftovers(const std::filesystem::path& path);

}  // namespace revenant::store
