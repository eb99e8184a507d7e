// Who waits for a word of memory to change, by the word's address.
//
//   word --hash--> queue: waiters for this word, and for others that share the queue
//
// Most changes are announced by a wake. Three kinds are not: libstdc++ counts those who wait in
// static storage, which begins anew with each process, and wakes nobody where it has counted
// nobody; OS threads wake by the kernel only; and words in static storage change with the process.
// For those a worker looks at the words once in a while, on its own stack. It only reads: a program
// whose threads all wait has nothing to commit.
//
// I1  waiting_ counts the waiters whose threads have not left, outside_ those of them whose word
//     lies outside the space.
//
// Threads and locks: guarded by the scheduler's lock, as every WaitQueue. Zeroed memory is valid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/threads/wait_queue.h"

namespace revenant::runtime {

// In the frame of the thread that waits.
struct FutexWaiter : Waiter {
  const std::uint32_t* word;
  std::uint32_t value;       // what it is while the thread waits
  bool outside;              // the word lies outside the space
  std::uint64_t generation;  // in which the wait began

  // Whether the thread has to see for itself. What an earlier process had outside says nothing.
  [[nodiscard]] bool may_go_on(std::uint64_t current) const {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST) != value || (outside && generation != current);
  }
};

class FutexQueues {
 public:
  [[nodiscard]] WaitQueue& of(const void* word) {
    constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
    const auto hash = reinterpret_cast<std::uint64_t>(word) * kGoldenRatio;
    return queues_[hash >> (64 - kBits)];
  }

  void enter(FutexWaiter& waiter) {
    of(waiter.word).push_back(waiter);
    ++waiting_;
    if (waiter.outside) ++outside_;
  }
  // By the waiter's own thread, once it goes on.
  void leave(const FutexWaiter& waiter) {
    --waiting_;
    if (waiter.outside) --outside_;
  }

  // Whether somebody may wait for a change that nobody announces. After a restart that is
  // everybody: who leaves a wait from before it takes one off libstdc++'s count that has not been
  // added.
  [[nodiscard]] bool need_looks(std::uint64_t generation) const {
    return generation > 1 ? waiting_ != 0 : outside_ != 0;
  }
  // Calls `wake` for each waiter that may go on.
  template <class Wake>
  void look(std::uint64_t generation, Wake wake) {
    for (WaitQueue& queue : queues_) {
      Waiter* next = nullptr;
      for (Waiter* each = queue.first; each != nullptr; each = next) {
        next = each->next;
        if (static_cast<FutexWaiter*>(each)->may_go_on(generation)) wake(*each);
      }
    }
  }

 private:
  static constexpr unsigned kBits = 8;
  std::array<WaitQueue, std::size_t{1} << kBits> queues_;
  std::size_t waiting_ = 0;
  std::size_t outside_ = 0;
};

}  // namespace revenant::runtime
