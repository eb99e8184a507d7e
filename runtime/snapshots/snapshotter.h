// Takes snapshots: captures the memory of one instant, writes what changed, tells who waited.
//
//   wait for a turn --> capture (capture.h) --> hash the copies, drop what equals the last image
//        ^                                          put, commit, tell who waited
//        '-- reclaim what fell out of the history <-------'
//
// Between them, and while a stop waits for workers, it works for the memory budget: it parks pages
// where only writing them makes room.
//
// I1  A page that was captured has committed, equals its image, or is owed to the next capture.
// I2  Nothing dirty and nobody waiting: no stop, no commit.
// I3  No stop is asked for while the store is unavailable: a worker that waits for a page cannot
//     park, and would wait for this thread, which opens the store again. At the end it no longer
//     waits.
//
// Threads: run() on the housekeeping thread; request(), wait_for_snapshot() and stop from any.
// Locks: kMachine for requests; none while pages are copied or written.
// Errors: a failed epoch is logged, told to those who wait in sync(), and tried again with
// back-off; its pages count as dirty again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "runtime/host/program_clock.h"
#include "runtime/snapshots/capture.h"
#include "runtime/snapshots/pause_log.h"
#include "runtime/snapshots/snapshot_statistics.h"
#include "runtime/threads/mailbox.h"
#include "runtime/threads/safepoint.h"
#include "store/store.h"
#include "vm/memory_manager.h"

namespace revenant::runtime {

struct SnapshotterOptions {
  std::chrono::nanoseconds every{std::chrono::milliseconds(100)};  // 0: only on request
  std::chrono::nanoseconds pause_target{std::chrono::microseconds(200)};
  store::BuildId build_id{};
  std::uint64_t generation = 0;
  VolatileCheck* check = nullptr;  // where snapshots are to be looked through
};

class Snapshotter {
 public:
  Snapshotter(vm::MemoryManager& memory, Safepoint& safepoint, ProgramClock& clock,
              Mailbox& mailbox)
      : memory_(memory),
        safepoint_(safepoint),
        mailbox_(mailbox),
        capture_(memory, safepoint, clock) {}

  // Before any green thread runs.
  [[nodiscard]] base::Status open(store::Store& store, const SnapshotterOptions& options);

  // The housekeeping thread's life.
  void run();
  // The memory budget needs this thread. In the fault handler too.
  void call_for_memory() { wake_.notify_one(); }
  // Ends run() after one last snapshot, or without it while snapshots are held back; returns its
  // result once it is taken.
  base::Status stop_after_last_snapshot();

  // Asks for a snapshot as soon as possible, not at the next tick.
  void request();
  // While held, no snapshot is taken.
  void hold(bool held);
  // Runs `job` on the housekeeping thread, between snapshots, and waits for it. kNoSpace where the
  // host had no memory for it.
  base::Status run_job(base::Status (*job)(void*), void* context);

  [[nodiscard]] base::Epoch durable() const { return {durable_.load(std::memory_order_acquire)}; }
  // Why the newest attempt failed, if it did.
  [[nodiscard]] std::optional<base::Error> last_error() const;
  [[nodiscard]] const PauseLog& pauses() const { return capture_.pauses(); }
  // What became of the snapshots so far.
  [[nodiscard]] SnapshotCounters& counters() { return counters_; }

 private:
  struct Job {
    base::Status (*run)(void*);
    void* context;
    bool done = false;
    base::Status status = {};
  };

  // kNone: the program ends while snapshots are held back.
  enum class Turn { kTick, kWanted, kJob, kMemory, kLast, kNone };
  Turn wait_for_turn();
  void run_jobs();
  base::Status take_snapshot(Turn turn);
  [[nodiscard]] base::Result<bool> write_epoch(Turn turn);
  [[nodiscard]] base::Result<bool> fill_epoch(store::EpochWriter& writer, Turn turn);
  [[nodiscard]] base::Status put_changed(store::EpochWriter& writer);
  [[nodiscard]] bool equals_image(base::PageNumber page, const store::ContentHash& hash);
  void settle_pages(bool committed);
  // Works for the memory budget. False where there is none.
  bool relieve_memory();
  [[nodiscard]] bool may_park() const;
  void settle_success();
  void settle_failure(const base::Error& error);
  void cool_chunks();
  void housekeep();
  void reclaim();

  vm::MemoryManager& memory_;
  Safepoint& safepoint_;
  Mailbox& mailbox_;

  // Constant after open().
  store::Store* store_ = nullptr;
  SnapshotterOptions options_;

  // Used by the housekeeping thread.
  Capture capture_;
  using Content = std::pair<base::PageNumber, vm::ContentHash>;
  std::vector<Content> written_;
  std::vector<Content> unchanged_;  // captured, and equal to their images
  bool changed_ = false;            // the program changed something since the last epoch
  std::int64_t next_due_ns_ = 0;
  std::int64_t next_reader_check_ns_ = 0;
  std::string reclaim_error_;  // what was said last
  std::string parking_error_;
  std::int64_t parking_back_off_until_ns_ = 0;
  bool relieved_ = false;  // the last turn was the memory budget's
  std::int64_t back_off_ns_ = 0;

  std::atomic<std::uint64_t> durable_{0};
  SnapshotCounters counters_;  // written by the housekeeping thread

  mutable base::Lock lock_{base::LockRank::kMachine};
  base::Condition wake_;
  base::Condition done_;
  std::int64_t back_off_until_ns_ REVENANT_GUARDED_BY(lock_) = 0;
  bool requested_ REVENANT_GUARDED_BY(lock_) = false;
  bool held_ REVENANT_GUARDED_BY(lock_) = false;
  bool stopping_ REVENANT_GUARDED_BY(lock_) = false;
  bool stopped_ REVENANT_GUARDED_BY(lock_) = false;
  Job* job_ REVENANT_GUARDED_BY(lock_) = nullptr;
  std::optional<base::Error> last_error_ REVENANT_GUARDED_BY(lock_);
};

}  // namespace revenant::runtime
