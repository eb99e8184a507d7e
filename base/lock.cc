#include "base/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "base/check.h"
#include "base/lock_waits.h"

namespace revenant::base {
namespace {

// The system call's result, negative for an error. Without libc's functions: programs redirect
// those to park green threads, and they set errno, while locks are taken inside malloc and in
// signal handlers.
long system_call(long number, std::uintptr_t first, std::uintptr_t second, std::uintptr_t third = 0,
                 const timespec* last = nullptr) {
  long result = number;
  register const timespec* fourth asm("r10") = last;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(first), "S"(second), "d"(third), "r"(fourth)
               : "rcx", "r11", "memory");
  return result;
}

// The error, 0 for none.
int futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
          const timespec* timeout = nullptr) {
  const auto address = reinterpret_cast<std::uintptr_t>(&word);
  const int private_operation = operation | FUTEX_PRIVATE_FLAG;
  const long result = system_call(SYS_futex, address,
                                  static_cast<std::uintptr_t>(private_operation), value, timeout);
  return result < 0 ? static_cast<int>(-result) : 0;
}

std::uint64_t now_ns() {
  timespec now{};
  system_call(SYS_clock_gettime, CLOCK_MONOTONIC, reinterpret_cast<std::uintptr_t>(&now));
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

constinit LockCounters counters;

}  // namespace

LockCounters& lock_counters() { return counters; }

LockWaits LockCounters::read(LockRank rank) const noexcept {
  const auto& counted = of_rank[static_cast<std::size_t>(rank)];
  return {.contended = counted.contended.load(std::memory_order_relaxed),
          .slept = counted.slept.load(std::memory_order_relaxed),
          .slept_ns = counted.slept_ns.load(std::memory_order_relaxed)};
}

const char* to_string(LockRank rank) noexcept {
  switch (rank) {
    case LockRank::kMachine:
      return "machine";
    case LockRank::kSafepoint:
      return "safepoint";
    case LockRank::kParking:
      return "parking";
    case LockRank::kScheduler:
      return "scheduler";
    case LockRank::kMailbox:
      return "mailbox";
    case LockRank::kRoots:
      return "roots";
    case LockRank::kHeapSlab:
      return "heap_slab";
    case LockRank::kHeapRuns:
      return "heap_runs";
    case LockRank::kSegments:
      return "segments";
    case LockRank::kDirtyList:
      return "dirty_list";
    case LockRank::kTrimming:
      return "trimming";
    case LockRank::kVmMap:
      return "vm_map";
    case LockRank::kTickets:
      return "tickets";
    case LockRank::kPageLists:
      return "page_lists";
    case LockRank::kFramePool:
      return "frame_pool";
    case LockRank::kChunks:
      return "chunks";
    case LockRank::kStore:
      return "store";
    case LockRank::kLog:
      return "log";
  }
  return "";
}

void Lock::lock_contended() {
  auto& waits = counters.of_rank[static_cast<std::size_t>(rank_)];
  waits.contended.fetch_add(1, std::memory_order_relaxed);
  // Holders leave within a few hundred nanoseconds as a rule: a short spin saves two system calls.
  constexpr int kSpins = 100;
  for (int spin = 0; spin < kSpins; ++spin) {
    std::uint32_t free = kFree;
    if (state_.compare_exchange_weak(free, kHeld, std::memory_order_acquire)) return;
    __builtin_ia32_pause();
  }
  if (state_.exchange(kContended, std::memory_order_acquire) == kFree) return;  // I1
  const std::uint64_t begun_ns = now_ns();
  do {
    futex(state_, FUTEX_WAIT, kContended);
  } while (state_.exchange(kContended, std::memory_order_acquire) != kFree);  // I1
  waits.slept.fetch_add(1, std::memory_order_relaxed);
  waits.slept_ns.fetch_add(now_ns() - begun_ns, std::memory_order_relaxed);
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
