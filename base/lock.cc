#include "base/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "base/check.h"

namespace revenant::base {
namespace {

// The raw system call, with errno left as it was: locks are taken inside malloc and in handlers.
long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* timeout) {
  const int saved = errno;
  const long result =
      ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, timeout, nullptr, 0);
  const int error = result < 0 ? errno : 0;
  errno = saved;
  return error;
}

}  // namespace

void Lock::lock_contended() {
  // Holders leave within a few hundred nanoseconds as a rule: a short spin saves two system calls.
  for (int spin = 0; spin < 100; ++spin) {
    std::uint32_t free = kFree;
    if (state_.compare_exchange_weak(free, kHeld, std::memory_order_acquire)) return;
    __builtin_ia32_pause();
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    futex(state_, FUTEX_WAIT, kContended, nullptr);
  }
}

void Lock::wake_one() { futex(state_, FUTEX_WAKE, 1, nullptr); }

void Condition::wait(Lock& lock) { wait_raw(lock, nullptr); }

bool Condition::wait_for(Lock& lock, std::chrono::nanoseconds timeout) {
  return wait_raw(lock, &timeout);
}

bool Condition::wait_raw(Lock& lock, const std::chrono::nanoseconds* timeout)
    REVENANT_NO_THREAD_SAFETY_ANALYSIS {
  const std::uint32_t seen = sequence_.load(std::memory_order_relaxed);
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  lock.unlock();
  long error = 0;
  if (timeout == nullptr) {
    error = futex(sequence_, FUTEX_WAIT, seen, nullptr);
  } else if (timeout->count() > 0) {
    const timespec relative{.tv_sec = timeout->count() / 1'000'000'000,
                            .tv_nsec = timeout->count() % 1'000'000'000};
    error = futex(sequence_, FUTEX_WAIT, seen, &relative);
  } else {
    error = ETIMEDOUT;
  }
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  lock.lock();
  return error != ETIMEDOUT;
}

void Condition::notify_one() {
  sequence_.fetch_add(1, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) != 0) futex(sequence_, FUTEX_WAKE, 1, nullptr);
}

void Condition::notify_all() {
  sequence_.fetch_add(1, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) != 0) futex(sequence_, FUTEX_WAKE, INT_MAX, nullptr);
}

#ifndef NDEBUG
namespace {
// One bit a rank held by this OS thread.
thread_local std::uint32_t held_ranks = 0;
}  // namespace

void Lock::note_acquire() {
  const std::uint32_t bit = 1u << static_cast<unsigned>(rank_);
  REVENANT_CHECK(held_ranks < bit, "lock of rank %u taken while ranks %#x are held",
                 static_cast<unsigned>(rank_), held_ranks);
  held_ranks |= bit;
}

void Lock::note_release() { held_ranks &= ~(1u << static_cast<unsigned>(rank_)); }
#endif

}  // namespace revenant::base
