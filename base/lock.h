// Every lock of the house, by rank.
//
// A thread may take a lock only if its rank is greater than that of every lock it holds: the list
// below is the order of acquisition, outermost first. Debug builds abort on a violation; there is
// no unranked lock. Under "may": what code that holds the lock may do.
//
//   rank            protects                                     may
//   kMachine        start, stop and errors of the whole program  call every room
//   kSafepoint      who is parked; the step of a stop            touch the space
//   kParking        pages being written ahead of a snapshot      call vm and store
//   kScheduler      run queue, timers, wait queues               touch the space
//   kMailbox        requests of other OS threads to workers      nothing but append and take
//   kRoots          the directory of named roots                 touch the space, allocate
//   kHeapSlab       the heap's slabs, from who is no worker      touch the space, take kHeapRuns
//   kHeapRuns       page runs of the heap                        touch the space, call vm
//   kSegments       the table of segments                        nothing that can fault
//   kDirtyList      released runs waiting for a snapshot         nothing that can fault
//   kTrimming       who takes pages out of memory                nothing that can fault
//   kVmMap          one writer of a vm_map region                nothing that can fault
//   kTickets        the ticket table                             nothing that can fault
//   kPageLists      which frame stands on which list             nothing that can fault
//   kFramePool      memory of frames that is to be given back    nothing that can fault
//   kChunks         which chunks are cold; their protection      nothing that can fault
//   kStore          the store's writer                           call LMDB; never touch the space
//   kLog            one line on stderr                           write it
//
// "Nothing that can fault": no persistent memory may be touched, since the fault handler takes the
// vm's and the store's locks and runs inside whatever code touched the page.
//
// The lock is three states over a futex (Drepper, "Futexes Are Tricky", 2011) and no pthread mutex:
// in programs the pthread functions are redirected to green threads, and the house stands below
// them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/thread_annotations.h"

namespace revenant::base {

enum class LockRank : std::uint8_t {
  kMachine,
  kSafepoint,
  kParking,
  kScheduler,
  kMailbox,
  kRoots,
  kHeapSlab,
  kHeapRuns,
  kSegments,
  kDirtyList,
  kTrimming,
  kVmMap,
  kTickets,
  kPageLists,
  kFramePool,
  kChunks,
  kStore,
  kLog,
};

inline constexpr std::size_t kLockRanks = static_cast<std::size_t>(LockRank::kLog) + 1;

// "machine" for kMachine.
[[nodiscard]] const char* to_string(LockRank rank) noexcept;

// Mutual exclusion between OS threads.
//
//          lock: compare-and-swap            lock: swap, then sleep while it was not free
//   free ------------------------> held ----------------------------------> contended
//     ^------------- unlock --------'                                           |
//     ^------------- unlock: and wake one sleeper ------------------------------'
//
// I1  Whoever sleeps has left the word at contended, so the holder's unlock will wake it.
// I2  A thread holds at most one lock of a rank, and takes them in rising order (debug builds
//     abort).
//
// Threads: any OS thread; not recursive. Usable in a signal handler only if no code that holds the
// lock can be interrupted by that handler. errno is left as it was.
class REVENANT_CAPABILITY("lock") Lock {
 public:
  explicit Lock(LockRank rank) : rank_(rank) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() REVENANT_ACQUIRE() {
    note_acquire();
    std::uint32_t free = kFree;
    if (!state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire)) [[unlikely]] {
      lock_contended();
    }
  }

  [[nodiscard]] bool try_lock() REVENANT_TRY_ACQUIRE(true) {
    std::uint32_t free = kFree;
    if (!state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire)) return false;
    note_acquire();
    return true;
  }

  void unlock() REVENANT_RELEASE() {
    note_release();
    if (state_.exchange(kFree, std::memory_order_release) == kContended) [[unlikely]]
      wake_one();
  }

  // For functions whose callers hold the lock where no annotation can say so. Debug builds abort if
  // this thread holds no lock of this rank.
  void assert_held() const REVENANT_ASSERT_HELD() { check_noted(); }

 private:
  friend class Condition;
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kContended = 2;

  void lock_contended();
  void wake_one();
#ifdef NDEBUG
  void note_acquire() {}
  void note_release() {}
  void check_noted() const {}
#else
  void note_acquire();
  void note_release();
  void check_noted() const;
#endif

  const LockRank rank_;  // read when contended (lock_waits.h), and by debug builds
  std::atomic<std::uint32_t> state_{kFree};
};

// Holds a lock for a scope.
class REVENANT_SCOPED_CAPABILITY LockGuard {
 public:
  explicit LockGuard(Lock& lock) REVENANT_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~LockGuard() REVENANT_RELEASE() { lock_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Lock& lock_;
};

// A condition variable for OS threads, over one futex.
//
// I1  A notification that comes after the waiter released its lock is not lost: the waiter sleeps
//     only while the sequence is what it was when the lock was still held.
//
// Wake-ups may be spurious: wait in a loop over what is waited for. The notifier need not hold the
// lock.
class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // The caller holds `lock`; it is released while waiting and held again on return.
  void wait(Lock& lock) REVENANT_REQUIRES(lock) {
    wait_until_woken(lock, nullptr, notifications());
  }
  // False when `timeout` passed without a wake-up.
  bool wait_for(Lock& lock, std::chrono::nanoseconds timeout) REVENANT_REQUIRES(lock) {
    return wait_until_woken(lock, &timeout, notifications());
  }
  // The same, and any notification since notifications() was `seen` ends it: for notifiers that may
  // take no lock.
  bool wait_for(Lock& lock, std::chrono::nanoseconds timeout, std::uint32_t seen)
      REVENANT_REQUIRES(lock) {
    return wait_until_woken(lock, &timeout, seen);
  }
  [[nodiscard]] std::uint32_t notifications() const {
    return sequence_.load(std::memory_order_seq_cst);
  }
  void notify_one();
  void notify_all();

 private:
  // Exempt from the analysis: it cannot follow a lock that is released and taken again inside.
  bool wait_until_woken(Lock& lock, const std::chrono::nanoseconds* timeout,
                        std::uint32_t seen) REVENANT_NO_THREAD_SAFETY_ANALYSIS;

  std::atomic<std::uint32_t> sequence_{0};
  std::atomic<std::uint32_t> waiters_{0};
};

}  // namespace revenant::base
