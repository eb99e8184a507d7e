// Where frames lie while they are outside the space: each at its page's address, plus a constant.
//
//   space   | ... | p7: active | p8: missing | ...        |
//                        |  ^          |
//            taken out   v  | rescue   v  the same distance for all
//   pool    | ... | nothing    | p8: standby | ...        |
//
// So a run of pages stays a run on its way out and back, one call of the kernel's moves it, and no
// table says where a frame is. The addresses cost nothing; what lies there counts against the
// budget. The kernel moves pages where it can (UFFDIO_MOVE); else they are copied.
//
// Memory that nobody needs any more is given back in batches. For each call the kernel interrupts
// every other core that runs the program, and waits for it (a TLB shootdown): with two threads at
// work that takes as long as ten pages' faults.
//
// I1  A page of the pool holds memory while its page of the space is standby, modified or in
//     transit, and while it waits to be given back. It changes under that page's stripe lock, or
//     when no entry refers to it any more.
// I2  Nobody writes to what lies here: it is as it left the space.
// I3  What waits, or is going, is nobody's: before a page comes here, whatever its place still
//     holds has been given back (make_room()).
//
// Threads: any, in the fault handler too. Locks: lock_ (rank kFramePool), in each call but
// discard(). Errors: open() fails where the host refuses the addresses.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/space.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {

class FramePool {
 public:
  FramePool() = default;
  ~FramePool() { close(); }
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  [[nodiscard]] base::Status open();
  void close();

  [[nodiscard]] base::PageRun pages() const {
    return {base::PageNumber::of(memory_), kSpaceRun.count};
  }
  // Where `page`, of the space, lies when it is outside.
  [[nodiscard]] base::PageNumber place_of(base::PageNumber page) const {
    return pages().first + (page - kSpaceRun.first);
  }
  [[nodiscard]] const std::byte* content_of(base::PageNumber page) const {
    return place_of(page).pointer();
  }
  // Gives back the memory of what lies here of `run`, pages of the space.
  void discard(base::PageRun run) const noexcept;
  // The same with the next batch. Of how many pages, of whatever runs, the memory went now: this
  // and the next two say it.
  [[nodiscard]] std::uint64_t discard_later(base::PageRun run) noexcept REVENANT_EXCLUDES(lock_);
  // All that waits goes.
  [[nodiscard]] std::uint64_t discard_waiting() noexcept REVENANT_EXCLUDES(lock_);
  // Pages of `run` are about to come here.
  [[nodiscard]] std::uint64_t make_room(base::PageRun run) noexcept REVENANT_EXCLUDES(lock_);

 private:
  // Runs of the space whose places here hold what nobody needs.
  struct Batch {
    static constexpr std::size_t kRuns = 128;

    [[nodiscard]] bool full() const { return size == kRuns || pages >= kRuns; }
    [[nodiscard]] bool overlaps(base::PageRun run) const;

    std::array<base::PageRun, kRuns> runs;
    std::size_t size = 0;
    std::uint64_t pages = 0;
    Batch* next = nullptr;  // of those that are going
  };

  // Takes what waits, and gives it back without the lock.
  std::uint64_t give_back_waiting() noexcept REVENANT_REQUIRES(lock_);
  void give_back(const Batch& batch) const noexcept;
  [[nodiscard]] bool is_going(base::PageRun run) const REVENANT_REQUIRES(lock_);

  std::byte* memory_ = nullptr;

  base::Lock lock_{base::LockRank::kFramePool};
  base::Condition gone_;
  Batch waiting_ REVENANT_GUARDED_BY(lock_);
  Batch* going_ REVENANT_GUARDED_BY(lock_) = nullptr;
};

}  // namespace revenant::vm
