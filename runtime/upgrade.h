// Taking over a store that another build wrote, and what to say of one that is not taken over.
//
// Threads' frames hold addresses of the old build's code, so the threads are dropped. Roots stay
// where their bytes mean the same to the new build: trivially copyable types, described ones, and
// std's of those, if no address of code is in anything they lead to. The others are named and let
// go; the snapshot they were in stays, under a tag.
#pragma once

#include <string>

#include "base/result.h"
#include "objects/roots.h"
#include "objects/types.h"
#include "store/store.h"
#include "vm/memory_manager.h"

namespace revenant::runtime {

// Gives all stacks back, in memory and with the next snapshot in the store.
void drop_threads(vm::MemoryManager& memory);

// Gives back the store's pages of the old build's globals, which lay elsewhere; this build's begin
// anew.
void drop_globals(vm::MemoryManager& memory);

// Names the head, so that retention keeps it; returns the tag, "before-upgrade-REVISION".
base::Result<std::string> tag_old_build(store::Store& store);

// Forgets the roots that the new build cannot take over, with a line on stderr for each, which
// names the tag they are kept under.
base::Status keep_roots(objects::Roots& roots, const objects::Types& types, const std::string& tag);

// The error that refuses another build's store, with both ids and the choices.
base::Error another_build(const store::SnapshotRecord& head, const store::BuildId& own,
                          const std::filesystem::path& store);

}  // namespace revenant::runtime
