// Blocking calls of green threads, made by OS threads of their own.
//
//   green thread --call_offloaded--> worker --offload_call--> queue --> pool thread: the call
//                                                        \--> descriptor waiter: poll of all
//        ready again <-- worker <-- mailbox: finished <-----------/
//
// Most calls only wait for a descriptor (descriptor_wait.h): one OS thread polls for all of those,
// however many there are. What is left, such as waiting for a child or a file lock, occupies a pool
// thread each.
//
// I1  A call and its context are of this process: pool threads never touch the space.
// I2  At most kMaxPoolThreads make calls that end by themselves; further ones queue until one is
//     free. A call that may wait for what another green thread does (UnboundedWait) does not count:
//     else enough of them would lock out the call that they wait for.
//
// Threads: offload_call on workers' own stacks. Pool threads are started on demand; kMaxPoolThreads
// of them stay.
// Locks: kMailbox, never together with the mailbox's own.
#pragma once

#include <cstddef>

#include "runtime/threads/green_thread.h"

namespace revenant::runtime {

inline constexpr std::size_t kMaxPoolThreads = 64;

// Has `call(context)` made by another OS thread, which then tells the mailbox that `thread`'s call
// has finished.
void offload_call(GreenThread& thread, void (*call)(void*), void* context);

// Around such a call, in the function that offload_call was given.
class UnboundedWait {
 public:
  UnboundedWait();
  ~UnboundedWait();
  UnboundedWait(const UnboundedWait&) = delete;
  UnboundedWait& operator=(const UnboundedWait&) = delete;
};

}  // namespace revenant::runtime
