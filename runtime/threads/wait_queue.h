// Threads waiting for one thing, in order of arrival.
//
//   queue: first <-> ... <-> last        each Waiter lies in the frame of the thread that waits
//
// The queue is what the public mutex, condition_variable and the like hold: two pointers, zero when
// empty, so that a zeroed or constant-initialised object is a valid one. Queue and waiters lie in
// persistent memory and survive as they are.
//
// I1  A waiter is on a queue exactly while `queue` is set, and then it is not notified.
// I2  Only its own thread creates and destroys a waiter; whoever removes it from the queue while
//     notifying sets `notified` first.
//
// Threads and locks: guarded by the scheduler's lock.
#pragma once

#include "base/check.h"

namespace revenant::runtime {

struct GreenThread;
struct WaitQueue;

struct Waiter {
  GreenThread* thread = nullptr;
  WaitQueue* queue = nullptr;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool notified = false;
};

struct WaitQueue {
  Waiter* first = nullptr;
  Waiter* last = nullptr;

  [[nodiscard]] bool empty() const { return first == nullptr; }

  void push_back(Waiter& waiter) {
    REVENANT_DCHECK(waiter.queue == nullptr);  // I1
    waiter.queue = this;
    waiter.previous = last;
    waiter.next = nullptr;
    (last != nullptr ? last->next : first) = &waiter;
    last = &waiter;
  }

  void erase(Waiter& waiter) {
    REVENANT_DCHECK(waiter.queue == this);  // I1
    (waiter.previous != nullptr ? waiter.previous->next : first) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last) = waiter.previous;
    waiter.queue = nullptr;
    waiter.previous = waiter.next = nullptr;
  }
};

}  // namespace revenant::runtime
