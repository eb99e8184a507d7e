#include "bench/support/housekeeper.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/check.h"

namespace revenant::bench {

std::uint64_t free_frames(vm::Pager& pager) {
  const vm::PageLists& lists = pager.lists();
  return lists.budget() - std::min(lists.in_use(), lists.budget());
}

void relieve(vm::Pager& pager, std::uint64_t standby) {
  vm::PageLists& lists = pager.lists();
  std::array<vm::Pager::Candidate, vm::PageLists::kBatch> batch;
  const std::size_t dropped = lists.take_oldest(vm::ListName::kStandby, batch);
  pager.drop({batch.data(), dropped});
  for (int batches = 0; batches < 2; ++batches) {
    if (lists.length(vm::ListName::kStandby) >= standby) return;
    const std::size_t taken = lists.take_oldest(vm::ListName::kActive, batch);
    pager.take_out({batch.data(), taken});
  }
}

Housekeeper::Housekeeper(vm::MemoryManager& memory) : memory_(memory) {
  memory_.trimmer().start([](void* self) { static_cast<Housekeeper*>(self)->wake_.notify_one(); },
                          this);
  thread_ = std::thread([this] { run(); });
}

Housekeeper::~Housekeeper() {
  stopping_ = true;
  wake_.notify_one();
  thread_.join();
  memory_.trimmer().start(nullptr, nullptr);
}

void Housekeeper::keep_free(std::uint64_t frames) {
  kept_free_ = frames;
  wake_.notify_one();
}

void Housekeeper::run() {
  vm::Trimmer& trimmer = memory_.trimmer();
  vm::Pager& pager = memory_.pager();
  trimmer.note_writer_thread();
  while (!stopping_) {
    {
      const base::LockGuard guard(lock_);
      const std::uint32_t seen = wake_.notifications();
      if (!stopping_ && !may_work()) wake_.wait_for(lock_, std::chrono::seconds(1), seen);
    }
    while (free_frames(pager) < kept_free_ && !stopping_) {
      relieve(pager, pager.lists().budget() / 8);
    }
    if (!may_park()) continue;
    REVENANT_CHECK(memory_.modified_writer().write_some().ok());
    trimmer.note_progress();
  }
}

bool Housekeeper::may_work() { return free_frames(memory_.pager()) < kept_free_ / 2 || may_park(); }

bool Housekeeper::may_park() {
  return memory_.pager().lists().length(vm::ListName::kModified) >=
         std::max<std::uint64_t>(park_from_, 1);
}

}  // namespace revenant::bench
