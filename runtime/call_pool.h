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
// I2  There are at most kMaxPoolThreads; further calls queue until one is free.
//
// Threads: offload_call on workers' own stacks. Pool threads are started on demand and stay.
// Locks: kMailbox, never together with the mailbox's own.
#pragma once

#include <cstddef>

#include "runtime/green_thread.h"

namespace revenant::runtime {

inline constexpr std::size_t kMaxPoolThreads = 64;

// Has `call(context)` made by another OS thread, which then tells the mailbox that `thread`'s call
// has finished.
void offload_call(GreenThread& thread, void (*call)(void*), void* context);

}  // namespace revenant::runtime
