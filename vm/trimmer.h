// Keeps the memory budget: finds frames for those who fault.
//
//   obtain:  a free frame --none--> drop standby pages --none--> take active pages out, oldest
//            first --all of them modified--> ask the writer to park, and wait
//
//   budget   | active ................................ | standby 1/8 | modified | free |
//
// Whoever faults does this work for itself. A thread that does it ahead of need makes it dearer,
// not sooner: to take a page out the kernel interrupts every other core that runs the program, and
// the one that works ahead interrupts the one that it works for. With a free core for it, random
// walks over twice the budget were a quarter slower. For the same reason one thread at a time takes
// pages out: those who wait for it are asleep, and their cores are left alone. Only the writing out
// is another thread's. A thread that waits for it longer than kPatience exceeds the budget by a
// frame and goes on: it may hold what the writer waits for. The excess is the first that is paid
// back.
//
// I1  A frame is handed out beyond the budget only to a thread that waited, or to the writer's.
// I2  Whoever waits is woken by every frame that comes free.
//
// Threads: obtain() in the fault handler, several at once; the rest by housekeeping. Locks:
// trimming_lock_ (rank kTrimming), then the pager's. Errors: none.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/lock.h"
#include "vm/pager.h"

namespace revenant::vm {

class Trimmer {
 public:
  static constexpr std::chrono::milliseconds kPatience{10};

  explicit Trimmer(Pager& pager) : pager_(pager) {}

  // `wake(context)` is called, in the fault handler too, when write_some() is wanted.
  void start(void (*wake)(void*), void* context) {
    wake_context_ = context;
    wake_ = wake;
  }
  // The calling thread is the one that writes: it never waits for itself.
  void note_writer_thread() noexcept;

  // Up to `wanted` frames, at least one if `must`, however long that takes.
  std::size_t obtain(FrameNumber* out, std::size_t wanted, bool must) noexcept;

  // Takes pages out until the budget is kept, or nothing more can be had without writing.
  void pay_back() noexcept;
  // Calls act() while no page leaves the space: what a harvest does not find there, since it has
  // left, is on the modified list by then.
  template <class Act>
  void while_nothing_leaves(Act act) noexcept REVENANT_EXCLUDES(trimming_lock_) {
    const base::LockGuard guard(trimming_lock_);
    act();
  }
  // Whether somebody waits, or soon will, for pages that only writing makes free.
  [[nodiscard]] bool wants_writing() const noexcept;
  // Frames have come free.
  void note_progress() noexcept;

 private:
  bool relieve() noexcept REVENANT_EXCLUDES(trimming_lock_);
  void wait_for_progress() noexcept REVENANT_EXCLUDES(waiting_lock_);
  void wake() noexcept;

  Pager& pager_;
  void (*wake_)(void*) = nullptr;
  void* wake_context_ = nullptr;

  base::Lock trimming_lock_{base::LockRank::kTrimming};
  std::atomic<std::uint32_t> waiting_{0};

  base::Lock waiting_lock_{base::LockRank::kPageLists};
  base::Condition progressed_;
};

}  // namespace revenant::vm
