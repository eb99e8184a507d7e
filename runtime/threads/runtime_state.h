// The runtime's part of the world: what it finds again after a restart, at a fixed address.
//
// Not to be read by the tool, except for `threads`, which comes first.
#pragma once

#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

#include "objects/world.h"
#include "revenant/detail/task.h"
#include "runtime/host/program_clock.h"
#include "runtime/threads/release_queue.h"
#include "runtime/threads/scheduler.h"
#include "runtime/threads/specific_values.h"
#include "runtime/threads/stack_pool.h"

namespace revenant::runtime {

// A function to be run at each later start; lies in the heap.
struct RestartHook {
  detail::task* function = nullptr;
  RestartHook* next = nullptr;
};

// An argument of some start, kept so that views of it stay valid for the life of the store.
struct InternedArgument {
  InternedArgument* next = nullptr;
  std::uint64_t bytes = 0;
  [[nodiscard]] const char* text() const { return reinterpret_cast<const char*>(this + 1); }
};

// By what a file is known to be what it was.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970
  bool operator==(const FileStamp&) const = default;
};

// A file of the host that the space shows from `pages` on; lies in the heap, its path behind it.
struct MappedFile {
  MappedFile* next = nullptr;
  base::PageRun pages;
  FileStamp stamp;
  std::uint64_t path_bytes = 0;
  [[nodiscard]] std::string_view path() const {
    return {reinterpret_cast<const char*>(this + 1), path_bytes};
  }
};

// How main ended, once it has.
struct ProgramEnd {
  bool finished = false;
  std::int32_t exit_code = 0;
};

// Its pages are copied in every stop: something here has always been written.
struct RestlessState {
  SchedulerState scheduler;  // first: begins with the table of threads
  StackRegions stacks;
  ReleaseState releases;
  SavedTime time;
  RestartHook* first_hook = nullptr;
  RestartHook* last_hook = nullptr;
  InternedArgument* arguments = nullptr;
  ProgramEnd end;
  MappedFile* files = nullptr;  // the newest first
};

struct RuntimeState : RestlessState {
  OwnKeys keys;  // hardly ever written

  static RuntimeState& at_home() {
    return *std::launder(reinterpret_cast<RuntimeState*>(objects::World::runtime_block()));
  }
};

static_assert(sizeof(RuntimeState) <= objects::kRuntimeBlockBytes);

}  // namespace revenant::runtime
