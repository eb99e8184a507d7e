#include "runtime/threads/mailbox.h"

#include <utility>

namespace revenant::runtime {

void Mailbox::post_finished_call(GreenThread& thread) {
  const base::LockGuard guard(lock_);
  mail_.finished_calls.push_back(&thread);
  has_mail_.store(true, std::memory_order_release);
  arrived_.notify_one();
}

void Mailbox::post_committed(base::Epoch epoch) {
  const base::LockGuard guard(lock_);
  mail_.committed = epoch;
  has_mail_.store(true, std::memory_order_release);
  arrived_.notify_one();
}

void Mailbox::post_failed(base::Epoch epoch) {
  const base::LockGuard guard(lock_);
  mail_.failed = epoch;
  has_mail_.store(true, std::memory_order_release);
  arrived_.notify_one();
}

void Mailbox::nudge() {
  if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
  const base::LockGuard guard(lock_);
  nudged_ = true;
  arrived_.notify_one();
}

Mail Mailbox::take() {
  const base::LockGuard guard(lock_);
  has_mail_.store(false, std::memory_order_relaxed);
  return std::exchange(mail_, {});
}

void Mailbox::wait(std::chrono::nanoseconds timeout) {
  const base::LockGuard guard(lock_);
  if (mail_.empty() && !nudged_) arrived_.wait_for(lock_, timeout);
  nudged_ = false;
  cancel_sleep();
}

}  // namespace revenant::runtime
