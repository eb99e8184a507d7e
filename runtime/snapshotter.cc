#include "runtime/snapshotter.h"

#include <algorithm>
#include <utility>

#include "runtime/log.h"

namespace revenant::runtime {
namespace {

using std::chrono::nanoseconds;

// Rounds of pre-copy, and the least residue at which another one pays.
constexpr int kMaxRounds = 3;
constexpr std::uint64_t kSmallResidue = 64;
// Copies that are made resident ahead of a stop, beyond what the last stops needed.
constexpr std::size_t kReserveSlack = 256;
// How long the thread that waits for the stop stays awake to help with copying hot pages.
constexpr nanoseconds kPatience = std::chrono::microseconds(500);
// Cooling goes on for a tenth of the time between snapshots, a few chunks at a time.
constexpr std::size_t kCoolChunks = 64;
constexpr std::int64_t kLongestCoolingNs = 2'000'000;
// Images and nodes that one turn removes at least, if there are as many.
constexpr std::size_t kReclaimBudget = 8192;
// A released run beyond this is looked for in the map's entries, not in the map page by page.
constexpr std::uint64_t kManyPages = 1 << 16;
constexpr std::int64_t kReaderCheckNs = 60'000'000'000;
constexpr std::int64_t kFirstBackOffNs = 100'000'000;
constexpr std::int64_t kLongestBackOffNs = 10'000'000'000;

vm::ContentHash of(const store::ContentHash& hash) { return {hash.low, hash.high}; }

}  // namespace

base::Status Snapshotter::open(store::Store& store, const SnapshotterOptions& options) {
  store_ = &store;
  options_ = options;
  for (vm::DirtyList* list : {&dirty_, &owed_, &released_, &newly_released_}) {
    REVENANT_TRY(list->open());
  }
  REVENANT_TRY(copies_.open());
  hot_.pin({base::PageNumber::of(objects::kWorldAddress), {1}});
  hot_.pin({base::PageNumber::of(objects::kRuntimeBlockAddress),
            base::PageCount::holding(sizeof(RuntimeState))});
  if (store.head().has_value()) durable_ = store.head()->revision.value;
  return {};
}

void Snapshotter::run() {
  next_due_ns_ = ProgramClock::host_monotonic_ns() + options_.every.count();
  for (;;) {
    const Turn turn = wait_for_turn();
    run_jobs();
    if (turn == Turn::kJob) continue;
    if (turn == Turn::kNone) break;
    next_due_ns_ = ProgramClock::host_monotonic_ns() + options_.every.count();
    const base::Status status = take_snapshot(turn);
    if (!status.ok()) settle_failure(status.error());
    if (turn == Turn::kLast) break;
    housekeep();
  }
  if (!frozen_) {
    store_->give_up_fetches();  // I5
    safepoint_.stop_for_good([] {});
  }
  const base::LockGuard guard(lock_);
  stopped_ = true;
  done_.notify_all();
}

Snapshotter::Turn Snapshotter::wait_for_turn() {
  const base::LockGuard guard(lock_);
  for (;;) {
    if (stopping_) return held_ ? Turn::kNone : Turn::kLast;
    if (job_ != nullptr && !job_->done) return Turn::kJob;
    const std::int64_t now_ns = ProgramClock::host_monotonic_ns();
    if (!held_ && back_off_until_ns_ <= now_ns) {
      if (std::exchange(requested_, false)) return Turn::kWanted;
      if (options_.every.count() != 0 && now_ns >= next_due_ns_) return Turn::kTick;
    }
    std::int64_t until_ns = options_.every.count() != 0 ? next_due_ns_ : now_ns + kReaderCheckNs;
    if (held_) until_ns = now_ns + kReaderCheckNs;
    until_ns = std::max(until_ns, back_off_until_ns_);
    wake_.wait_for(lock_, nanoseconds(until_ns - now_ns));
  }
}

void Snapshotter::run_jobs() {
  Job* job = nullptr;
  {
    const base::LockGuard guard(lock_);
    job = job_;
  }
  if (job == nullptr || job->done) return;
  job->run(job->context);
  const base::LockGuard guard(lock_);
  job->done = true;
  done_.notify_all();
}

base::Status Snapshotter::take_snapshot(Turn turn) {
  REVENANT_TRY(store_->make_available());  // I5
  REVENANT_TRY(precopy());
  if (turn == Turn::kTick && copies_.empty() && !hot_.has_unpinned()) return {};  // I4
  copies_.reserve(2 * hot_.pages() + 2 * residual_pages_ + kReserveSlack);
  hot_copy_.plan(hot_.runs());
  const auto step = [this] { stop_step(); };
  // Within the target help costs more than it saves: lines that a second core has read are slow to
  // write again.
  const auto assist = [this, needs_help = spare_ns() < 0] {
    if (needs_help) hot_copy_.help(kPatience);
  };
  const std::int64_t pause_ns =
      turn == Turn::kLast ? safepoint_.stop_for_good(step) : safepoint_.stop_and(step, assist);
  frozen_ = turn == Turn::kLast;
  pauses_.add(static_cast<std::uint32_t>(pause_ns / 1000));
  learn_heat();
  REVENANT_TRY(step_status_);
  REVENANT_ASSIGN(const bool committed, write_epoch(turn, pause_ns));
  if (committed) settle_success(epoch_);
  cool_down();
  return {};
}

base::Status Snapshotter::precopy() {
  copies_.clear();
  copy_dirty(owed_.runs());
  owed_.clear();
  std::uint64_t last_pages = UINT64_MAX;
  for (int round = 0; round < kMaxRounds; ++round) {
    dirty_.clear();
    const base::Status harvested = memory_.tracker().harvest(hot_.runs(), dirty_);
    copy_dirty(dirty_.runs());
    REVENANT_TRY(harvested);
    const std::uint64_t pages = dirty_.pages().value;
    if (pages <= small_residue() || pages > last_pages / 2) break;
    last_pages = pages;
  }
  return {};
}

// What copying the hot pages on one core leaves of the target; negative where it misses it.
double Snapshotter::spare_ns() const {
  return static_cast<double>(options_.pause_target.count()) -
         copy_ns_ * static_cast<double>(hot_.pages());
}

// How many pages the stop may be left with: as many as the target allows beside the hot ones.
std::uint64_t Snapshotter::small_residue() const {
  return std::max(kSmallResidue, static_cast<std::uint64_t>(std::max(0.0, spare_ns()) / copy_ns_));
}

void Snapshotter::copy_dirty(std::span<const base::PageRun> runs) {
  for (const base::PageRun& run : runs) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      // Hot pages are copied in the stop, once: of two copies an older one might be taken for new.
      if (hot_.contains(page)) continue;
      // Freed memory may hold frames a while; it is never written out.
      if (memory_.ticket_of(page).kind != vm::Ticket::Kind::kForbidden) copies_.copy(page);
    }
  }
}

// In the stop: no green code runs.
void Snapshotter::stop_step() {
  objects::World& world = objects::World::at_home();
  RuntimeState& state = RuntimeState::at_home();
  epoch_ = world.open_epoch();
  world.set_open_epoch(epoch_.next());  // I3
  state.time = clock_.save();
  threads_ = static_cast<std::uint32_t>(state.scheduler.threads.all.size());
  end_ = state.end;
  dirty_.clear();
  step_status_ = memory_.tracker().harvest(hot_.runs(), dirty_);
  const std::int64_t begin_ns = ProgramClock::host_monotonic_ns();
  copy_dirty(dirty_.runs());
  // A page that was freed is copied for nothing until it has cooled.
  copies_.append(hot_copy_);
  const auto pages = static_cast<double>(dirty_.pages().value + hot_copy_.own_pages());
  copy_ns_ = 0.9 * copy_ns_ +
             0.1 * static_cast<double>(ProgramClock::host_monotonic_ns() - begin_ns) / pages;
  memory_.take_released(newly_released_);
  for (const base::PageRun& run : newly_released_.runs()) copies_.refresh_run(run);
  copies_.publish();
}

void Snapshotter::learn_heat() {
  residual_pages_ = dirty_.pages().value;
  for (const base::PageRun& run : dirty_.runs()) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      hot_.note_dirty(page, epoch_);
    }
  }
  released_.append_all(newly_released_);
}

// False when nothing had changed and nobody asked: the epoch is dropped.
base::Result<bool> Snapshotter::write_epoch(Turn turn, std::int64_t pause_ns) {
  store::EpochWriter& writer = store_->begin_epoch(epoch_);
  const base::Status put = put_changed(writer);
  if (put.ok() && !changed_ && released_.empty() && turn == Turn::kTick) {
    writer.abort();
    return false;
  }
  if (!put.ok()) {
    writer.abort();
    return put.error();
  }
  store::SnapshotInfo info{.build_id = options_.build_id,
                           .generation = options_.generation,
                           .wall_time_ns = ProgramClock::wall_now_ns(),
                           .pause_us = static_cast<std::uint32_t>(pause_ns / 1000),
                           .threads = threads_,
                           .finished = end_.finished,
                           .exit_code = end_.exit_code};
  REVENANT_ASSIGN(const base::Epoch committed, writer.commit(info));
  REVENANT_CHECK(committed == epoch_, "an epoch changed its number");  // I3
  return true;
}

base::Status Snapshotter::put_changed(store::EpochWriter& writer) {
  changed_ = false;
  written_.clear();
  released_.normalise();
  for (const base::PageRun& run : released_.runs()) {
    REVENANT_TRY(writer.drop(run));
  }
  base::Status status;
  copies_.for_each([&](base::PageNumber page, const std::byte* copy) {
    const store::ContentHash hash = store::hash_page(copy);
    if (equals_image(page, hash)) return true;
    status = writer.put(page, copy, hash);
    written_.emplace_back(page, hash);
    if (!hot_.is_pinned(page)) changed_ = true;
    if (hot_.contains(page)) hot_.note_dirty(page, epoch_);
    return status.ok();
  });
  return status;
}

// Whether the page's newest image is this content, and will be taken for it after a restart.
bool Snapshotter::equals_image(base::PageNumber page, const store::ContentHash& hash) {
  if (is_released(page)) return false;  // its image is being dropped
  const auto entry = memory_.map().find(page);
  const bool known = entry.has_value() && entry->hash() != vm::ContentHash{};
  if (known && entry->hash() != of(hash)) return false;
  const vm::Ticket ticket = memory_.ticket_of(page);
  if (ticket.kind != vm::Ticket::Kind::kStored) return false;
  const auto reference = store_->find_reference(page);
  // An image from before the memory was carved anew is stale, whatever it holds.
  return reference.ok() && reference->has_value() && (*reference)->hash == hash &&
         (*reference)->birth >= ticket.not_before;
}

bool Snapshotter::is_released(base::PageNumber page) const {
  const auto runs = released_.runs();
  const auto after = std::upper_bound(
      runs.begin(), runs.end(), page,
      [](base::PageNumber wanted, const base::PageRun& run) { return wanted < run.first; });
  return after != runs.begin() && std::prev(after)->contains(page);
}

void Snapshotter::settle_success(base::Epoch committed) {
  for (const base::PageRun& run : released_.runs()) forget_images(run);
  for (const auto& written : written_) {
    memory_.map().upsert(written.first, [&](vm::PageEntry& entry) {
      if (entry.state() == vm::PageState::kUntouched) entry.take<vm::touch>();
      entry.mark_clean(of(written.second));
    });
  }
  released_.clear();
  memory_.set_open_epoch(committed.next());
  durable_.store(committed.value, std::memory_order_release);
  back_off_ns_ = 0;
  {
    const base::LockGuard guard(lock_);
    if (last_error_.has_value()) log_line("snapshots are being written again");
    last_error_.reset();
  }
  mailbox_.post_committed(committed);
}

void Snapshotter::forget_images(const base::PageRun& run) {
  vm::VmMap& map = memory_.map();
  if (run.count.value < kManyPages) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) map.erase(page);
    return;
  }
  map.for_each([&](base::PageNumber page, const vm::PageEntry&) {
    if (run.contains(page)) map.erase(page);
  });
}

void Snapshotter::settle_failure(const base::Error& error) {
  hot_.forget_candidates();
  // Nobody who waits for a later epoch is concerned.
  const base::Epoch failed = frozen_ ? epoch_ : objects::World::at_home().open_epoch();
  copies_.for_each([this](base::PageNumber page, const std::byte*) {
    owed_.append({page, {1}});  // I2
    return true;
  });
  copies_.clear();
  back_off_ns_ = std::clamp(2 * back_off_ns_, kFirstBackOffNs, kLongestBackOffNs);
  {
    const base::LockGuard guard(lock_);
    if (!last_error_.has_value() || last_error_->message != error.message) {
      log_line("%s; the program goes on, and the snapshot is tried again", error.message.c_str());
    }
    last_error_ = error;
    back_off_until_ns_ = ProgramClock::host_monotonic_ns() + back_off_ns_;
  }
  mailbox_.post_failed(failed);
}

// Ends the epoch for the hot set and the chunks.
void Snapshotter::cool_down() {
  cooled_.clear();
  hot_.learn(epoch_, cooled_);
  for (const base::PageRun& run : cooled_) {
    const base::Status status = memory_.tracker().protect(run);
    if (!status.ok()) log_line("%s", status.error().message.c_str());
    owed_.append(run);  // I2: written since it was copied, perhaps
  }
  cool_chunks();
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
  copies_.clear();
  copies_.trim();
  reclaim();
  const std::int64_t now_ns = ProgramClock::host_monotonic_ns();
  if (now_ns < next_reader_check_ns_) return;
  next_reader_check_ns_ = now_ns + kReaderCheckNs;
  store_->check_readers();
}

// As much as was written may have become garbage: less would let the store grow for ever.
void Snapshotter::reclaim() {
  const std::size_t budget = std::max<std::size_t>(kReclaimBudget, 4 * written_.size());
  const auto report = store_->reclaim_some({}, budget);
  if (!report.ok() && !last_error().has_value()) {
    log_line("old snapshots could not be removed: %s", report.error().message.c_str());
  }
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

void Snapshotter::run_job(void (*job)(void*), void* context) {
  Job mine{job, context};
  const base::LockGuard guard(lock_);
  while (job_ != nullptr) done_.wait(lock_);
  job_ = &mine;
  wake_.notify_one();
  while (!mine.done) done_.wait(lock_);
  job_ = nullptr;
  done_.notify_all();
}

std::optional<base::Error> Snapshotter::last_error() const {
  const base::LockGuard guard(lock_);
  return last_error_;
}

}  // namespace revenant::runtime
