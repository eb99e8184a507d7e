// Works ahead for those who fault, by measures that can be varied.
//
//   keep_free(K)    K frames are kept free, whatever the need
//   park_from(M)    modified pages are parked once they are so many
//
// It takes no snapshots. The house's trimmer takes nothing out ahead of need, so relieve() here is
// what it does for a frame, with the size of standby as a parameter.
//
// I1  What kept_free_ and park_from_ ask for is done when the thread is awake, and it is woken by
//     whoever finds them wanting.
//
// Threads: note_need() by the one that faults, between faults. It ends before the memory does.
// Errors: none.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "base/lock.h"
#include "vm/memory_manager.h"

namespace revenant::bench {

// Drops a batch of standby pages, and takes out as many active ones as standby, of so many frames,
// then lacks, up to two batches.
void relieve(vm::Pager& pager, std::uint64_t standby);

[[nodiscard]] std::uint64_t free_frames(vm::Pager& pager);

class Housekeeper {
 public:
  explicit Housekeeper(vm::MemoryManager& memory);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  void keep_free(std::uint64_t frames);
  void park_from(std::uint64_t modified) { park_from_ = modified; }
  // Has it work if half of the frames that it is to keep free are used up.
  void note_need() {
    if (free_frames(memory_.pager()) < kept_free_ / 2) wake_.notify_one();
  }

 private:
  void run();
  [[nodiscard]] bool may_work();
  [[nodiscard]] bool may_park();

  vm::MemoryManager& memory_;
  std::atomic<std::uint64_t> kept_free_{0};
  std::atomic<std::uint64_t> park_from_{~std::uint64_t{0}};
  std::atomic<bool> stopping_{false};
  base::Lock lock_{base::LockRank::kMachine};
  base::Condition wake_;
  std::thread thread_;
};

}  // namespace revenant::bench
