// What blocking objects are made of. Not part of the public surface.
#pragma once

#include "revenant/detail/time.h"

namespace revenant::detail {

// Threads that wait; empty when zero. Persistent, guarded by the scheduler.
struct wait_queue {
  void* first = nullptr;
  void* last = nullptr;
};

// One thread's place in a queue, in its own frame. Enqueued by the constructor, gone by the end of
// wait() at the latest.
class wait_ticket {
 public:
  explicit wait_ticket(wait_queue& queue);
  ~wait_ticket();
  wait_ticket(const wait_ticket&) = delete;
  wait_ticket& operator=(const wait_ticket&) = delete;
  // False when the deadline passed first.
  bool wait(const deadline& until, const void* object);

 private:
  void* storage_[5];
};

void notify_one(wait_queue& queue);
void notify_all(wait_queue& queue);

}  // namespace revenant::detail
