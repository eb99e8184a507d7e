#include "runtime/snapshots/capture.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/memory_limits.h"
#include "objects/heap.h"
#include "runtime/host/log.h"

namespace revenant::runtime {
namespace {

// Rounds of pre-copy ahead of a stop, and the least residue at which another one pays.
constexpr int kMaxRounds = 3;
constexpr std::uint64_t kSmallResidue = 64;
// Stops that a capture takes at most: each that is given up copies what it found while the program
// runs.
constexpr int kMaxStops = 6;
// What a stop may copy beyond twice what the last one did: frames for it are made resident ahead.
constexpr std::uint64_t kReserveSlack = 1024;
// Of the program's time, what its traps may take before pauses beyond the target are the lesser
// evil: one part in so many.
constexpr std::int64_t kTrapShare = 10;
// How long the thread that waits for the stop stays awake to help with copying hot pages.
constexpr std::chrono::nanoseconds kPatience = std::chrono::microseconds(500);

}  // namespace

std::array<base::PageRun, 2> Capture::own_pages() {
  return {{{base::PageNumber::of(objects::kWorldAddress), {1}},
           {base::PageNumber::of(objects::kRuntimeBlockAddress),
            base::PageCount::holding(sizeof(RestlessState))}}};
}

base::Status Capture::open(std::chrono::nanoseconds pause_target, VolatileCheck* check) {
  check_ = check;
  target_ns_ = static_cast<double>(pause_target.count());
  for (vm::DirtyList* list : {&dirty_, &owed_, &released_, &newly_released_, &parked_}) {
    REVENANT_TRY(list->open());
  }
  REVENANT_TRY(copies_.open(memory_.pager()));
  for (const base::PageRun& run : own_pages()) hot_.pin(run);
  return {};
}

base::Result<bool> Capture::take(Stop kind, base::FunctionRef<bool()> serve) {
  memory_.pager().hold_judgement(true);
  copies_.clear();
  copy_dirty(owed_.runs());
  owed_.clear();
  pause_us_ = 0;
  stop_limit_ = 2 * residual_pages_ + kReserveSlack;
  for (int stops = 1;; ++stops) {
    REVENANT_TRY(precopy());
    if (kind == Stop::kIfDirty && copies_.empty() && !hot_.has_unpinned()) {
      memory_.pager().hold_judgement(false);
      return false;
    }
    may_give_up_ = kind != Stop::kForGood && stops < kMaxStops;  // I4
    stop(kind == Stop::kForGood, serve);
    if (!gave_up_) break;
    copy_dirty(dirty_.runs());
    // No more than half of it should be left next time: otherwise stops need not come closer.
    stop_limit_ = std::max(stop_limit_, dirty_.pages().value / 2);
  }
  frozen_ = kind == Stop::kForGood;
  residual_pages_ = dirty_.pages().value;
  released_.append_all(newly_released_);
  released_.normalise();
  REVENANT_TRY(step_status_);
  note_heat();
  heats_changed_ = protects_dearly();
  return true;
}

base::Status Capture::precopy() {
  std::uint64_t last_pages = UINT64_MAX;
  for (int round = 0; round < kMaxRounds; ++round) {
    const base::Status harvested = harvest();
    copy_dirty(dirty_.runs());
    REVENANT_TRY(harvested);
    // Before the next round, not after the last: the program goes on writing meanwhile.
    copies_.reserve(2 * hot_.pages() + stop_limit_);
    const std::uint64_t pages = dirty_.pages().value;
    if (pages <= small_residue() || pages > last_pages / 4 * 3) break;
    last_pages = pages;
  }
  return {};
}

// What was written since the harvest before, in the space and outside.
base::Status Capture::harvest() {
  dirty_.clear();
  base::Status harvested = memory_.tracker().harvest(hot_.runs(), dirty_);
  trapped_pages_ += dirty_.pages().value;
  round_ = memory_.pager().lists().next_round(dirty_);
  return harvested;
}

// What copying the hot pages on one core leaves of the target; negative where it misses it.
double Capture::spare_ns() const {
  return target_ns_ - copy_ns_ * static_cast<double>(hot_.pages());
}

// How many pages the stop may be left with: as many as the target allows beside the hot ones.
std::uint64_t Capture::small_residue() const {
  return std::max(kSmallResidue, static_cast<std::uint64_t>(std::max(0.0, spare_ns()) / copy_ns_));
}

bool Capture::is_forbidden(base::PageNumber page) const {
  return memory_.ticket_of(page).kind == vm::Ticket::Kind::kForbidden;
}

void Capture::copy_dirty(std::span<const base::PageRun> runs) {
  for (const base::PageRun& run : runs) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      // Hot pages are copied in the stop, once: of two copies an older one might be taken for new.
      if (hot_.contains(page)) continue;
      // Freed memory may hold frames a while; it is never written out.
      if (!is_forbidden(page)) copies_.copy(page);
    }
  }
}

void Capture::stop(bool for_good, base::FunctionRef<bool()> serve) {
  hot_copy_.plan(hot_.runs());
  const auto step = [this] { stop_step(); };
  // Within the target help costs more than it saves: lines that a second core has read are slow to
  // write again.
  auto assist = [this, serve, needs_help = spare_ns() < 0]() mutable {
    if (std::exchange(needs_help, false)) hot_copy_.help(kPatience);
    return serve();
  };
  const std::int64_t pause_ns =
      for_good ? safepoint_.stop_for_good(step, assist) : safepoint_.stop_and(step, assist);
  const auto pause_us = static_cast<std::uint32_t>(pause_ns / 1000);
  pauses_.add(pause_us);
  pause_us_ = std::max(pause_us_, pause_us);
}

// In the stop: no green code runs, and what other threads free waits.
void Capture::stop_step() {
  const base::LockGuard no_parking(parking_lock_);
  const objects::Heap::Stillness still(*objects::Heap::instance());
  newly_released_.clear();
  try {
    copy_in_stop();
  } catch (const std::bad_alloc&) {
    // What waits for the stop knows no exceptions.
    step_status_ = base::no_memory_for("a snapshot");
  }
}

void Capture::copy_in_stop() {
  memory_.trimmer().while_nothing_leaves([this] { step_status_ = harvest(); });
  gave_up_ = may_give_up_ && step_status_.ok() && dirty_.pages().value > stop_limit_;
  if (gave_up_) return;
  captured_ = true;
  objects::World& world = objects::World::at_home();
  RuntimeState& state = RuntimeState::at_home();
  epoch_ = world.open_epoch();
  world.set_open_epoch(epoch_.next());  // I3
  state.time = clock_.save();
  threads_ = static_cast<std::uint32_t>(state.scheduler.threads.all.size());
  end_ = state.end;
  copy_rest();
  memory_.take_released(newly_released_);
  memory_.modified_writer().note_released();
  for (const base::PageRun& run : newly_released_.runs()) copies_.refresh_run(run);
  copies_.publish();
  if (check_ != nullptr) check_->scan(copies_);
}

void Capture::copy_rest() {
  const std::int64_t begin_ns = ProgramClock::host_monotonic_ns();
  drop_parked();
  copy_dirty(dirty_.runs());
  // A page that was freed is copied for nothing, once (note_changed()).
  copies_.append(hot_copy_);
  const std::uint64_t pages = dirty_.pages().value + hot_copy_.own_pages();
  if (pages == 0) return;
  const std::int64_t spent_ns = ProgramClock::host_monotonic_ns() - begin_ns;
  copy_ns_ = 0.9 * copy_ns_ + 0.1 * static_cast<double>(spent_ns) / static_cast<double>(pages);
}

// What has been parked since it was copied is older in its copy.
void Capture::drop_parked() {
  memory_.modified_writer().take_parked(parked_);
  for (const base::PageRun& run : parked_.runs()) copies_.refresh_run(run);
}

void Capture::note_heat() {
  for (const base::PageRun& run : dirty_.runs()) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      hot_.note_dirty(page, epoch_);
    }
  }
}

// Whether a page that changes in each epoch should be copied in the stop, though it could be copied
// ahead: protecting it again costs the program a trap, some 15 times as much as a copy. Within the
// target that is so; beyond it, where traps slow the program.
bool Capture::protects_dearly() {
  const std::int64_t trap_ns = memory_.tracker().trap_cost().count();
  const auto pages = static_cast<std::int64_t>(std::exchange(trapped_pages_, 0));
  const std::int64_t now_ns = ProgramClock::host_monotonic_ns();
  const std::int64_t elapsed_ns = now_ns - std::exchange(taken_ns_, now_ns);
  const bool fits = copy_ns_ * static_cast<double>(pages) < spare_ns();
  return trap_ns != 0 && (fits || trap_ns * pages > elapsed_ns / kTrapShare);
}

void Capture::note_changed(base::PageNumber page) {
  if (!hot_.contains(page)) {
    if (heats_changed_) hot_.note_dirty(page, epoch_);
    return;
  }
  if (is_forbidden(page)) {
    hot_.let_go(page);
  } else {
    hot_.note_dirty(page, epoch_);
  }
}

void Capture::end_epoch() {
  memory_.pager().hold_judgement(false);
  const base::LockGuard guard(parking_lock_);
  captured_ = false;
}

void Capture::learn() {
  end_epoch();
  released_.clear();
  cooled_.clear();
  hot_.learn(epoch_, cooled_);
  for (const base::PageRun& run : cooled_) {
    const base::Status status = memory_.tracker().protect(run);
    if (!status.ok()) log_line("%s", status.error().message.c_str());
    owed_.append(run);  // I2: written since it was copied, perhaps
  }
}

void Capture::owe_again() {
  end_epoch();
  hot_.forget_candidates();
  owed_.append_all(dirty_);  // which may not have been copied to the end
  copies_.for_each([this](base::PageNumber page, const std::byte*) {
    owed_.append({page, {1}});  // I2
    return true;
  });
  copies_.clear();
}

void Capture::clear() {
  copies_.clear();
  copies_.trim();
}

}  // namespace revenant::runtime
