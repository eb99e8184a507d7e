// What every verb of the tool is given, and how it reaches the store.
//
// A verb is a function: it prints its results and returns the exit code. Verbs run in a child
// process (in_child), one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace revenant::cli {

struct Context {
  std::filesystem::path store;
  bool json = false;
  bool color = false;
};

// Opens the store of `context` and runs `verb` on it; the exit code of either.
int with_store(const Context& context,
               const std::function<base::Result<int>(const store::StoreReader&)>& verb,
               store::ReadPurpose purpose = store::ReadPurpose::kUse);

// The same on one snapshot, held still.
int with_snapshot(const Context& context, const std::string& revision,
                  const std::function<base::Result<int>(const store::StoreReader&,
                                                        const store::SnapshotView&)>& verb);

// Runs `verb` in a child process and returns its exit code. LMDB trusts the structure of its own
// pages, so damage there may end the child with a signal: that is a finding, and a sentence.
// Without a `store` it is the host that is unfit.
int in_child(const std::filesystem::path& store, const std::function<int()>& verb);

}  // namespace revenant::cli
