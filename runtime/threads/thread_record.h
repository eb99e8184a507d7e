// What the world remembers of a green thread, in a layout that outlives the program.
//
// The running program embeds a ThreadRecord at the start of each GreenThread; the tool reads the
// same bytes out of a dead image. RuntimeState lies in the world's runtime block and is where both
// begin.
//
//   states:    ready --> running --> waiting --> ready           (a condition came, or a deadline)
//                           |------> in_call --> ready           (a system call, made outside)
//                           |------> finished                    (joined or detached: gone)
//
// I1  In a snapshot no thread is running: one that was at a safepoint is ready.
// I2  `context` of a thread that is neither running nor finished points into its stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/intrusive_list.h"

namespace revenant::runtime {

enum class ThreadState : std::uint32_t { kReady, kRunning, kWaiting, kInCall, kFinished };

enum class WaitKind : std::uint32_t {
  kNone,
  kSleep,
  kMutex,
  kCondition,
  kJoin,
  kSync,
  kCall,
};

// No deadline. Deadlines count nanoseconds of the clock that `wall_deadline` names.
inline constexpr std::int64_t kNoDeadline = INT64_MAX;

struct ThreadRecord {
  base::ListHook all;  // first member: the address of a record is the address of its hook
  std::uint64_t id = 0;
  char name[32] = {};  // NUL-terminated, cut to fit
  ThreadState state = ThreadState::kReady;
  WaitKind waits_for = WaitKind::kNone;
  const void* wait_object = nullptr;
  std::int64_t deadline_ns = kNoDeadline;
  std::uint32_t wall_deadline = 0;  // 0: the program's monotonic clock, 1: wall time since 1970
  std::uint32_t detached = 0;
  std::uint32_t service = 0;        // the runtime's own: the program's end does not wait for it
  std::byte* stack_low = nullptr;   // lowest usable address
  std::byte* stack_high = nullptr;  // one past the highest
  void* context = nullptr;          // saved stack pointer, as Boost.Context's jump_fcontext left it
  std::uint64_t created_in_generation = 0;
};

static_assert(std::is_standard_layout_v<ThreadRecord>);
static_assert(offsetof(ThreadRecord, all) == 0);

using ThreadList = base::IntrusiveList<ThreadRecord, &ThreadRecord::all>;

// The first bytes of the world's runtime block.
struct ThreadTable {
  ThreadList all;
  std::uint64_t next_id = 1;
};

static_assert(std::is_standard_layout_v<ThreadTable>);

}  // namespace revenant::runtime
