#include "base/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "base/check.h"

namespace revenant::base {
namespace {

// The system call's error, 0 for none. Without libc's syscall(): programs redirect that to park
// green threads, and it sets errno, while locks are taken inside malloc and in signal handlers.
int futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
          const timespec* timeout = nullptr) {
  long result = SYS_futex;
  register const timespec* fourth asm("r10") = timeout;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(&word), "S"(operation | FUTEX_PRIVATE_FLAG), "d"(value), "r"(fourth)
               : "rcx", "r11", "memory");
  return result < 0 ? static_cast<int>(-result) : 0;
}

}  // namespace

void Lock::lock_contended() {
  // Holders leave within a few hundred nanoseconds as a rule: a short spin saves two system calls.
  constexpr int kSpins = 100;
  for (int spin = 0; spin < kSpins; ++spin) {
    std::uint32_t free = kFree;
    if (state_.compare_exchange_weak(free, kHeld, std::memory_order_acquire)) return;
    __builtin_ia32_pause();
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {  // I1
    futex(state_, FUTEX_WAIT, kContended);
  }
}

void Lock::wake_one() { futex(state_, FUTEX_WAKE, 1); }

bool Condition::wait_until_woken(Lock& lock, const std::chrono::nanoseconds* timeout,
                                 std::uint32_t seen) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  lock.unlock();
  int error = ETIMEDOUT;
  if (timeout == nullptr) {
    error = futex(sequence_, FUTEX_WAIT, seen);
  } else if (timeout->count() > 0) {
    const timespec relative{.tv_sec = timeout->count() / kSecondNs,
                            .tv_nsec = timeout->count() % kSecondNs};
    error = futex(sequence_, FUTEX_WAIT, seen, &relative);
  }
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  lock.lock();
  return error != ETIMEDOUT;
}

void Condition::notify_one() {
  sequence_.fetch_add(1, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) != 0) futex(sequence_, FUTEX_WAKE, 1);
}

void Condition::notify_all() {
  sequence_.fetch_add(1, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) != 0) futex(sequence_, FUTEX_WAKE, INT_MAX);
}

#ifndef NDEBUG
namespace {

// One bit a rank held by this OS thread.
thread_local std::uint32_t held_ranks = 0;

std::uint32_t bit_of(LockRank rank) {
  static_assert(static_cast<unsigned>(LockRank::kLog) < 32, "a rank is a bit of held_ranks");
  return 1U << static_cast<unsigned>(rank);
}

}  // namespace

void Lock::note_acquire() {
  REVENANT_CHECK(held_ranks < bit_of(rank_), "lock of rank %u taken while ranks %#x are held",
                 static_cast<unsigned>(rank_), held_ranks);  // I2
  held_ranks |= bit_of(rank_);
}

void Lock::note_release() {
  check_noted();
  held_ranks &= ~bit_of(rank_);
}

void Lock::check_noted() const {
  REVENANT_CHECK((held_ranks & bit_of(rank_)) != 0, "no lock of rank %u is held, only ranks %#x",
                 static_cast<unsigned>(rank_), held_ranks);
}
#endif

}  // namespace revenant::base
