// DIR/identity: what a directory says about itself before LMDB is asked.
//
// It stands outside data.mdb because an emptied data.mdb opens as a new, empty store: the identity
// remembers that there was one, and how much was committed in its data.mdb at least. Not how long
// the file was: a power cut may take what no commit covers. And because a start is counted before
// there is time to check all that a commit would write between.
//
// Written atomically: at creation and at each start; at an orderly end if data.mdb has grown, and
// when it has doubled in between. Errors: kNotAStore, kAnotherFormat, kStoreDamaged, kNotFound,
// kIoFailed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "store/host_features.h"
#include "store/snapshot_record.h"

namespace revenant::store {

struct Identity {
  StoreId id{};
  std::string program;
  std::uint64_t least_data_size = 0;
  std::uint64_t generation = 0;  // starts so far
  HostFeatures ran_on;           // all of them together
};

// A new store's identity, with a random id.
base::Result<Identity> draw_identity(const std::string& program);

base::Status write_identity(const std::filesystem::path& store, const Identity& identity);

// Reads and checks it. A directory without one is not a store.
base::Result<Identity> read_identity(const std::filesystem::path& store);

// Refuses a data.mdb that is missing or shorter than it has been.
base::Status check_data_size(const std::filesystem::path& store, const Identity& identity);

}  // namespace revenant::store
