#include "vm/trimmer.h"

#include <algorithm>
#include <array>

namespace revenant::vm {
namespace {

using Candidates = std::array<Pager::Candidate, PageLists::kBatch>;

// True on the thread that writes snapshots and parks pages.
thread_local bool is_writer = false;

std::uint64_t standby_wanted(const PageLists& lists) { return lists.budget() / 8; }
// More than this is not taken out before some of it has been written.
std::uint64_t most_modified(const PageLists& lists) { return lists.budget() / 2; }

}  // namespace

void Trimmer::note_writer_thread() noexcept { is_writer = true; }

std::size_t Trimmer::obtain(FrameNumber* out, std::size_t wanted, bool must) noexcept {
  PageLists& lists = pager_.lists();
  std::size_t got = lists.take_free(out, wanted);
  if (got == wanted) return got;
  while (got < wanted && relieve()) got += lists.take_free(out + got, wanted - got);
  if (wants_writing()) wake();
  while (must && got == 0) {
    wake();
    if (!is_writer) {
      wait_for_progress();
      got = lists.take_free(out, 1);
      if (got == 0 && relieve()) got = lists.take_free(out, 1);
      if (got != 0) break;
    }
    got = lists.take_free(out, 1, true);  // I1
    pager_.counters().excess_frames.fetch_add(got, std::memory_order_relaxed);
  }
  return got;
}

// One batch. False when nothing more is to be had without writing.
bool Trimmer::relieve() noexcept {
  const base::LockGuard guard(trimming_lock_);
  PageLists& lists = pager_.lists();
  Candidates batch;
  std::uint64_t dropped = pager_.settle_discarded();
  if (const std::size_t taken = lists.take_oldest(ListName::kStandby, batch)) {
    dropped += pager_.drop({batch.data(), taken});
  }
  std::uint64_t out = 0;
  if (lists.length(ListName::kStandby) < standby_wanted(lists) &&
      lists.length(ListName::kModified) < most_modified(lists)) {
    if (const std::size_t taken = lists.take_oldest(ListName::kActive, batch)) {
      out = pager_.take_out({batch.data(), taken});
    }
  }
  if (dropped != 0) note_progress();
  return dropped + out != 0;
}

void Trimmer::pay_back() noexcept {
  const PageLists& lists = pager_.lists();
  while (lists.in_use() > lists.budget() && relieve()) continue;
}

bool Trimmer::wants_writing() const noexcept {
  const PageLists& lists = pager_.lists();
  if (!pager_.has_budget() || lists.length(ListName::kModified) == 0) return false;
  return waiting_.load(std::memory_order_acquire) != 0 ||
         lists.length(ListName::kModified) >= most_modified(lists) / 2;
}

void Trimmer::wake() noexcept {
  if (wake_ != nullptr) wake_(wake_context_);
}

void Trimmer::wait_for_progress() noexcept {
  const auto begun = std::chrono::steady_clock::now();
  waiting_.fetch_add(1, std::memory_order_acq_rel);
  {
    const base::LockGuard guard(waiting_lock_);
    if (pager_.lists().in_use() >= pager_.lists().budget())
      progressed_.wait_for(waiting_lock_, kPatience);  // I2
  }
  waiting_.fetch_sub(1, std::memory_order_acq_rel);
  const auto waited = std::chrono::steady_clock::now() - begun;
  MemoryCounters& counters = pager_.counters();
  counters.frame_waits.fetch_add(1, std::memory_order_relaxed);
  counters.frame_wait_ns.fetch_add(
      static_cast<std::uint64_t>(std::chrono::nanoseconds(waited).count()),
      std::memory_order_relaxed);
}

void Trimmer::note_progress() noexcept {
  if (waiting_.load(std::memory_order_acquire) == 0) return;
  const base::LockGuard guard(waiting_lock_);
  progressed_.notify_all();
}

}  // namespace revenant::vm
