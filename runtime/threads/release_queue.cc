#include "runtime/threads/release_queue.h"

namespace revenant::runtime {

void ReleaseQueue::add_locked(HeldFunction& held) {
  (state_->last_held != nullptr ? state_->last_held->next : state_->first_held) = &held;
  state_->last_held = &held;
}

void ReleaseQueue::committed_locked(base::Epoch durable) {
  durable_ = durable;
  // Registered in order, so the epochs rise along the queue.
  while (!state_->sync_waiters.empty()) {
    auto& first = reinterpret_cast<SyncWaiter&>(*state_->sync_waiters.first);
    if (first.registered > durable) break;  // I1
    first.durable = durable;
    scheduler_.notify_locked(first.waiter);
  }
  if (state_->first_held != nullptr) scheduler_.notify_all_locked(state_->releaser);
}

void ReleaseQueue::failed_locked(base::Epoch failed) {
  while (!state_->sync_waiters.empty()) {
    auto& first = reinterpret_cast<SyncWaiter&>(*state_->sync_waiters.first);
    if (first.registered > failed) break;
    scheduler_.notify_locked(first.waiter);
  }
}

HeldFunction* ReleaseQueue::take_released_locked() {
  HeldFunction* first = state_->first_held;
  if (first == nullptr || first->registered > durable_) return nullptr;  // I1
  state_->first_held = first->next;                                      // I2
  if (state_->first_held == nullptr) state_->last_held = nullptr;
  return first;
}

}  // namespace revenant::runtime
