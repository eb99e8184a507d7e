// Reads and checks every node and image of a snapshot, or of all.
//
// Checked: hashes of nodes and images, shape of nodes, births (a child is not younger than its
// parent, nothing is younger than its snapshot); over all: each dead list holds exactly what its
// parent had and it has not, page counts agree, no key is missing and none is leaked. What several
// snapshots share is read once.
//
// Damage is a finding, not an error. LMDB trusts its own page structure: damage there may end the
// process with a signal, so tools verify in a child process.
//
// Threads: any; one read transaction for the whole run. Memory: about 32 bytes for each key.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "store/history.h"

namespace revenant::store {

struct Finding {
  base::Epoch revision;                  // kNoEpoch: no snapshot in particular
  std::optional<base::PageNumber> page;  // the first page that the damage reaches
  std::string what;
};

struct VerifyReport {
  std::uint64_t snapshots = 0;
  std::uint64_t nodes = 0;
  std::uint64_t images = 0;
  std::uint64_t findings = 0;
};

struct VerifySinks {
  std::function<void(const Finding&)> finding;
  std::function<void(const VerifyReport&)> progress;  // now and then; may be empty
};

base::Result<VerifyReport> verify_snapshot(const History& history, base::Epoch revision,
                                           const VerifySinks& sinks);
base::Result<VerifyReport> verify_all(const History& history, const VerifySinks& sinks);

}  // namespace revenant::store
