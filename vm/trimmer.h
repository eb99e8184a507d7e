// Keeps the memory budget: finds frames for those who fault, and takes pages out ahead of need.
//
//   obtain:  a free frame --none--> drop standby pages --none--> take active pages out, oldest
//            first --all of them modified--> ask the writer to park, and wait
//
//   budget   | active ................................ | standby 1/8 | modified | free |
//
// Whoever faults does this work for itself, so it is done as fast as it is needed and on as many
// cores as need it; the housekeeping thread works ahead (keep_ready), so that most find a free
// frame. How many it keeps free follows the need: twice as many each time that they ran out, up to
// 1/64, and fewer each time that they did not. A set that just fits is left alone, in the end. Only
// the writing out is one thread's. A thread that waits for it longer than kPatience
// exceeds the budget by a frame and goes on: it may hold what the writer waits for. The excess is
// the first that is paid back.
//
// I1  A frame is handed out beyond the budget only to a thread that waited, or to the writer's.
// I2  Whoever waits is woken by every frame that comes free.
//
// Threads: obtain() in the fault handler, several at once; the rest by housekeeping. Locks: the
// pager's, one after the other. Errors: none.
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

  // `wake(context)` is called, in the fault handler too, when write_some() is wanted or
  // keep_ready() would be good.
  void start(void (*wake)(void*), void* context) {
    wake_context_ = context;
    wake_ = wake;
  }
  // The calling thread is the one that writes: it never waits for itself.
  void note_writer_thread() noexcept;

  // Up to `wanted` frames, at least one if `must`, however long that takes.
  std::size_t obtain(FrameNumber* out, std::size_t wanted, bool must) noexcept;

  // Works ahead until enough frames are free, or nothing more can be had without writing.
  void keep_ready() noexcept;
  // Whether somebody waits, or soon will, for pages that only writing makes free.
  [[nodiscard]] bool wants_writing() const noexcept;
  // Whether keep_ready() has anything to do.
  [[nodiscard]] bool wants_work() const noexcept;
  // Frames have come free.
  void note_progress() noexcept;

 private:
  bool relieve() noexcept;
  [[nodiscard]] std::uint64_t free_frames() const noexcept;
  void wait_for_progress() noexcept REVENANT_EXCLUDES(waiting_lock_);
  void wake() noexcept;

  Pager& pager_;
  void (*wake_)(void*) = nullptr;
  void* wake_context_ = nullptr;
  std::atomic<bool> woken_{false};
  std::atomic<bool> ran_dry_{false};           // since keep_ready() was called
  std::atomic<std::uint64_t> free_wanted_{0};  // by keep_ready()
  std::atomic<std::uint32_t> waiting_{0};

  base::Lock waiting_lock_{base::LockRank::kPageLists};
  base::Condition progressed_;
};

}  // namespace revenant::vm
