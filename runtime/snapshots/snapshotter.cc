#include "runtime/snapshots/snapshotter.h"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/exit_code.h"
#include "base/memory_limits.h"
#include "runtime/host/log.h"
#include "runtime/snapshots/store_source.h"
#include "vm/page_runs.h"

namespace revenant::runtime {
namespace {

using std::chrono::nanoseconds;

// Cooling goes on for a tenth of the time between snapshots, a few chunks at a time.
constexpr std::size_t kCoolChunks = 64;
constexpr std::int64_t kLongestCoolingNs = 2'000'000;
// Images and nodes that one turn removes at least, if there are as many.
constexpr std::size_t kReclaimBudget = 8192;
constexpr std::int64_t kReaderCheckNs = 60'000'000'000;
constexpr std::int64_t kFirstBackOffNs = 100'000'000;
constexpr std::int64_t kLongestBackOffNs = 10'000'000'000;

// What `work` returns, or an error where the host had no memory for it.
template <class Work>
auto or_no_memory(const char* what, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return base::no_memory_for(what);
  }
}

// What cannot be written because of damage never can be: going on would lose all that is to come.
// Nothing was written over it.
[[noreturn]] void end_by_damage(const base::Error& error) {
  log_line("%s; nothing was written over it, and the program ends here", error.message.c_str());
  ::_exit(base::kFindings);
}

}  // namespace

base::Status Snapshotter::open(store::Store& store, const SnapshotterOptions& options) {
  store_ = &store;
  options_ = options;
  REVENANT_TRY(capture_.open(options.pause_target, options.check));
  if (store.head().has_value()) durable_ = store.head()->revision.value;
  return {};
}

void Snapshotter::run() {
  memory_.trimmer().note_writer_thread();
  next_due_ns_ = ProgramClock::host_monotonic_ns() + options_.every.count();
  for (;;) {
    const Turn turn = wait_for_turn();
    run_jobs();
    if (turn == Turn::kMemory) relieve_memory();
    if (turn == Turn::kJob || turn == Turn::kMemory) continue;
    if (turn == Turn::kNone) break;
    next_due_ns_ = ProgramClock::host_monotonic_ns() + options_.every.count();
    const base::Status status = or_no_memory("a snapshot", [&] { return take_snapshot(turn); });
    if (!status.ok()) settle_failure(status.error());
    if (turn == Turn::kLast) break;
    housekeep();
  }
  if (!capture_.frozen()) {
    store_->give_up_fetches();  // I3
    safepoint_.stop_for_good([] {}, [this] { return relieve_memory(); });
  }
  const base::LockGuard guard(lock_);
  stopped_ = true;
  done_.notify_all();
}

Snapshotter::Turn Snapshotter::wait_for_turn() {
  const base::LockGuard guard(lock_);
  for (;;) {
    const std::uint32_t seen = wake_.notifications();
    if (stopping_) return held_ ? Turn::kNone : Turn::kLast;
    if (job_ != nullptr && !job_->done) return Turn::kJob;
    const std::int64_t now_ns = ProgramClock::host_monotonic_ns();
    const bool may_take = !held_ && back_off_until_ns_ <= now_ns;
    const bool due = may_take && options_.every.count() != 0 && now_ns >= next_due_ns_;
    // In turns, if both are wanted all the time.
    const bool after_memory = std::exchange(relieved_, false);
    if (may_park() && !(after_memory && ((may_take && requested_) || due))) {
      relieved_ = true;
      return Turn::kMemory;
    }
    if (may_take && std::exchange(requested_, false)) return Turn::kWanted;
    if (due) return Turn::kTick;
    std::int64_t until_ns = now_ns + kReaderCheckNs;
    if (!held_ && requested_) {
      until_ns = back_off_until_ns_;
    } else if (!held_ && options_.every.count() != 0) {
      until_ns = std::max(next_due_ns_, back_off_until_ns_);
    }
    wake_.wait_for(lock_, nanoseconds(until_ns - now_ns), seen);
  }
}

void Snapshotter::run_jobs() {
  Job* job = nullptr;
  {
    const base::LockGuard guard(lock_);
    job = job_;
  }
  if (job == nullptr || job->done) return;
  job->status = or_no_memory("a tag", [&] { return job->run(job->context); });
  const base::LockGuard guard(lock_);
  job->done = true;
  done_.notify_all();
}

base::Status Snapshotter::take_snapshot(Turn turn) {
  REVENANT_TRY(store_->make_available());  // I3
  const bool only_if_dirty = turn == Turn::kTick && !store_->has_parked();
  const auto stop = turn == Turn::kLast ? Capture::Stop::kForGood
                    : only_if_dirty     ? Capture::Stop::kIfDirty
                                        : Capture::Stop::kAlways;
  REVENANT_ASSIGN(const bool captured, capture_.take(stop, [this] { return relieve_memory(); }));
  if (!captured) return {};  // I2
  if (options_.check != nullptr) options_.check->tell(capture_.epoch());
  const std::int64_t captured_ns = ProgramClock::host_monotonic_ns();
  REVENANT_ASSIGN(const bool committed, write_epoch(turn));
  // First: a page that counts as stored while its epoch still counts as open would read as zeros.
  if (committed) memory_.set_open_epoch(capture_.epoch().next());
  settle_pages(committed);
  if (committed) {
    counters_.note_commit({.revision = capture_.epoch().value,
                           .wall_ns = ProgramClock::wall_now_ns(),
                           .pages = written_.size(),
                           .pause_us = capture_.pause_us(),
                           .commit_ns = ProgramClock::host_monotonic_ns() - captured_ns});
    settle_success();
  }
  capture_.learn();
  cool_chunks();
  return {};
}

// False when nothing had changed and nobody asked: the epoch is dropped.
base::Result<bool> Snapshotter::write_epoch(Turn turn) {
  store::EpochWriter& writer = store_->begin_epoch(capture_.epoch());
  auto committed = or_no_memory("a snapshot", [&] { return fill_epoch(writer, turn); });
  if (writer.open()) writer.abort();
  return committed;
}

base::Result<bool> Snapshotter::fill_epoch(store::EpochWriter& writer, Turn turn) {
  memory_.modified_writer().forget_released();
  REVENANT_TRY(put_changed(writer));
  const bool nothing = !changed_ && capture_.released().empty() && !store_->has_parked();
  if (nothing && turn == Turn::kTick) return false;
  store::SnapshotInfo info{.build_id = options_.build_id,
                           .generation = options_.generation,
                           .wall_time_ns = ProgramClock::wall_now_ns(),
                           .pause_us = capture_.pause_us(),
                           .threads = capture_.threads(),
                           .finished = capture_.end().finished,
                           .exit_code = capture_.end().exit_code};
  REVENANT_ASSIGN(const base::Epoch committed, writer.commit(info));
  REVENANT_CHECK(committed == capture_.epoch(), "an epoch changed its number");
  return true;
}

base::Status Snapshotter::put_changed(store::EpochWriter& writer) {
  changed_ = false;
  written_.clear();
  unchanged_.clear();
  for (const base::PageRun& run : capture_.released()) {
    REVENANT_TRY(writer.drop(run));
  }
  base::Status status;
  capture_.copies().for_each([&](base::PageNumber page, const std::byte* copy) {
    const store::ContentHash hash = store::hash_page(copy);
    if (equals_image(page, hash)) {
      if (memory_.pager().has_budget()) unchanged_.emplace_back(page, vm_hash(hash));
      return true;
    }
    status = writer.put(page, copy, hash);
    written_.emplace_back(page, vm_hash(hash));
    if (!capture_.is_own(page)) changed_ = true;
    capture_.note_changed(page);
    return status.ok();
  });
  return status;
}

// Whether the page's newest image is this content, and will be taken for it after a restart.
bool Snapshotter::equals_image(base::PageNumber page, const store::ContentHash& hash) {
  if (vm::any_contains(capture_.released(), page)) return false;  // its image is being dropped
  const auto entry = memory_.map().find(page);
  const bool known = entry.has_value() && entry->hash() != vm::ContentHash{};
  if (known && entry->hash() != vm_hash(hash)) return false;
  const vm::Ticket ticket = memory_.ticket_of(page);
  if (ticket.kind != vm::Ticket::Kind::kStored) return false;
  const auto reference = store_->find_reference(page);
  // An image from before the memory was carved anew is stale, whatever it holds.
  return reference.ok() && reference->has_value() && (*reference)->hash == hash &&
         (*reference)->birth >= ticket.not_before;
}

// What was captured is what the branch says of these pages, now or since long.
void Snapshotter::settle_pages(bool committed) {
  vm::Pager& pager = memory_.pager();
  for (const Content& content : unchanged_) {
    pager.settle(content.first, content.second, capture_.round());
  }
  if (!committed) return;
  for (const Content& content : written_) {
    pager.settle(content.first, content.second, capture_.round());
  }
  store_->settle_parked([&](base::PageNumber page, const store::ContentHash& hash) {
    pager.commit_parked(page, vm_hash(hash));
  });
}

void Snapshotter::settle_success() {
  const base::Epoch committed = capture_.epoch();
  durable_.store(committed.value, std::memory_order_release);
  back_off_ns_ = 0;
  {
    const base::LockGuard guard(lock_);
    if (last_error_.has_value()) log_line("snapshots are being written again");
    last_error_.reset();
  }
  mailbox_.post_committed(committed);
}

// Pages are parked only while the store is to be had.
bool Snapshotter::may_park() const {
  return memory_.trimmer().wants_writing() &&
         ProgramClock::host_monotonic_ns() >= parking_back_off_until_ns_;
}

// One batch: whoever stops the program, or wants a snapshot, comes next.
bool Snapshotter::relieve_memory() {
  if (!memory_.pager().has_budget()) return false;
  memory_.trimmer().pay_back();
  if (!may_park()) return true;
  const base::LockGuard guard(capture_.parking_lock());
  if (!capture_.may_park()) return true;
  const auto freed =
      or_no_memory("paging out", [&] { return memory_.modified_writer().write_some(); });
  memory_.trimmer().note_progress();
  if (freed.ok()) {
    if (!parking_error_.empty()) log_line("pages are being paged out again");
    parking_error_.clear();
    return true;
  }
  if (freed.error().code == base::ErrorCode::kStoreDamaged) end_by_damage(freed.error());
  // The store's words change while it is full: once is enough.
  if (parking_error_.empty()) {
    log_line("%s; the memory budget gives way until pages can be paged out",
             freed.error().message.c_str());
  }
  parking_error_ = freed.error().message;
  parking_back_off_until_ns_ = ProgramClock::host_monotonic_ns() + kFirstBackOffNs;
  return true;
}

void Snapshotter::settle_failure(const base::Error& error) {
  if (error.code == base::ErrorCode::kStoreDamaged) end_by_damage(error);
  // Nobody who waits for a later epoch is concerned.
  const base::Epoch failed =
      capture_.frozen() ? capture_.epoch() : objects::World::at_home().open_epoch();
  capture_.owe_again();
  back_off_ns_ = std::clamp(2 * back_off_ns_, kFirstBackOffNs, kLongestBackOffNs);
  {
    const base::LockGuard guard(lock_);
    if (!last_error_.has_value() || last_error_->message != error.message) {
      log_line("%s; the program goes on, and the snapshot is tried again", error.message.c_str());
    }
    last_error_ = error;
    requested_ = true;
    back_off_until_ns_ = ProgramClock::host_monotonic_ns() + back_off_ns_;
  }
  counters_.note_failure(error.message, ProgramClock::wall_now_ns());
  mailbox_.post_failed(failed);
}

void Snapshotter::cool_chunks() {
  const std::int64_t end_ns =
      ProgramClock::host_monotonic_ns() +
      std::min<std::int64_t>(options_.every.count() / 10, kLongestCoolingNs);
  for (;;) {
    const auto cooled = memory_.tracker().cool(kCoolChunks);
    if (!cooled.ok()) log_line("%s", cooled.error().message.c_str());
    if (!cooled.ok() || *cooled < kCoolChunks) return;
    if (ProgramClock::host_monotonic_ns() >= end_ns) return;
  }
}

void Snapshotter::housekeep() {
  capture_.clear();
  reclaim();
  const std::int64_t now_ns = ProgramClock::host_monotonic_ns();
  if (now_ns < next_reader_check_ns_) return;
  next_reader_check_ns_ = now_ns + kReaderCheckNs;
  store_->check_readers();
}

// As much as was written may have become garbage: less would let the store grow for ever.
void Snapshotter::reclaim() {
  const std::size_t budget = std::max<std::size_t>(kReclaimBudget, 4 * written_.size());
  const auto report =
      or_no_memory("their removal", [&] { return store_->reclaim_some({}, budget); });
  if (report.ok() || last_error().has_value()) return;
  if (report.error().message != reclaim_error_) {
    log_line("old snapshots could not be removed: %s", report.error().message.c_str());
  }
  reclaim_error_ = report.error().message;
}

base::Status Snapshotter::stop_after_last_snapshot() {
  const base::LockGuard guard(lock_);
  stopping_ = true;
  wake_.notify_all();
  while (!stopped_) done_.wait(lock_);
  if (last_error_.has_value()) return *last_error_;
  return {};
}

void Snapshotter::request() {
  const base::LockGuard guard(lock_);
  requested_ = true;
  wake_.notify_one();
}

void Snapshotter::hold(bool held) {
  const base::LockGuard guard(lock_);
  held_ = held;
  wake_.notify_one();
}

base::Status Snapshotter::run_job(base::Status (*job)(void*), void* context) {
  Job mine{job, context};
  const base::LockGuard guard(lock_);
  while (job_ != nullptr) done_.wait(lock_);
  job_ = &mine;
  wake_.notify_one();
  while (!mine.done) done_.wait(lock_);
  job_ = nullptr;
  done_.notify_all();
  return std::move(mine.status);
}

std::optional<base::Error> Snapshotter::last_error() const {
  const base::LockGuard guard(lock_);
  return last_error_;
}

}  // namespace revenant::runtime
