// Who waits for a word of memory to change, by the word's address.
//
//   word --hash--> queue: waiters for this word, and for others that share the queue
//
// A waiter's word is the wait_object of its thread's record.
//
// Threads and locks: guarded by the scheduler's lock, as every WaitQueue. Zeroed memory is valid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/wait_queue.h"

namespace revenant::runtime {

class FutexQueues {
 public:
  [[nodiscard]] WaitQueue& of(const void* word) {
    constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
    const auto hash = reinterpret_cast<std::uint64_t>(word) * kGoldenRatio;
    return queues_[hash >> (64 - kBits)];
  }

 private:
  static constexpr unsigned kBits = 8;
  std::array<WaitQueue, std::size_t{1} << kBits> queues_;
};

}  // namespace revenant::runtime
