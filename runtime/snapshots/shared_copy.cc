#include "runtime/snapshots/shared_copy.h"

#include <immintrin.h>
#include <sched.h>

#include <algorithm>

#include "runtime/host/program_clock.h"
#include "vm/guarded_copy.h"

namespace revenant::runtime {
namespace {

// Looks at a part that the helper has, about as long as it needs for one.
constexpr int kLooksAtAPart = 200;
// Between two looks at the clock.
constexpr int kLooksAtTheStart = 16;

}  // namespace

void SharedCopy::plan(std::span<const base::PageRun> runs) {
  parts_ = 0;
  for (const base::PageRun& run : runs) parts_ += (run.count.value + kPartPages - 1) / kPartPages;
  if (parts_ > capacity_) {
    capacity_ = 2 * parts_;
    part_ = std::make_unique<Part[]>(capacity_);
  }
  pages_ = 0;
  std::size_t next = 0;
  for (const base::PageRun& run : runs) {
    for (std::uint64_t at = 0; at < run.count.value; at += kPartPages) {
      Part& part = part_[next++];
      part.run = {run.first + base::PageCount{at}, {std::min(kPartPages, run.count.value - at)}};
      part.frame = pages_;
      part.state.store(State::kFree, std::memory_order_relaxed);
      pages_ += part.run.count.value;
    }
  }
  begun_.store(false, std::memory_order_relaxed);
}

void SharedCopy::copy(std::byte* own_frames, std::byte* helper_frames) {
  own_pages_ = 0;
  helper_frames_ = helper_frames;
  begun_.store(true, std::memory_order_release);
  for (std::size_t i = 0; i < parts_; ++i) {
    if (part_[i].take(State::kFree, State::kOwn)) copy_own(part_[i], own_frames);
  }
  for (std::size_t i = 0; i < parts_; ++i) finish(part_[i], own_frames);
  vm::publish_copies();
}

// Of all parts, at most one is still in the helper's hands.
void SharedCopy::finish(Part& part, std::byte* own_frames) {
  for (int look = 0; look < kLooksAtAPart; ++look) {
    if (part.state.load(std::memory_order_acquire) != State::kHelping) return;
    _mm_pause();
  }
  if (part.take(State::kHelping, State::kOwn)) copy_own(part, own_frames);
}

void SharedCopy::copy_own(Part& part, std::byte* own_frames) {
  part.there_own = part.copy_to(own_frames);
  own_pages_ += part.run.count.value;
}

void SharedCopy::help(std::chrono::nanoseconds patience) {
  const std::int64_t until_ns = ProgramClock::host_monotonic_ns() + patience.count();
  while (!begun_.load(std::memory_order_acquire)) {
    for (int look = 0; look < kLooksAtTheStart; ++look) _mm_pause();
    if (ProgramClock::host_monotonic_ns() >= until_ns) return;
    ::sched_yield();  // whoever is to begin may need this core
  }
  for (std::size_t i = parts_; i-- > 0;) {
    if (!part_[i].take(State::kFree, State::kHelping)) return;  // here the two meet
    part_[i].there_helped = part_[i].copy_to(helper_frames_);
    vm::publish_copies();
    if (!part_[i].take(State::kHelping, State::kHelped)) return;
  }
}

std::uint32_t SharedCopy::Part::copy_to(std::byte* frames) const {
  std::uint32_t there = 0;
  for (std::uint64_t at = 0; at < run.count.value; ++at) {
    std::byte* target = frames + (frame + at) * base::kPageSize;
    const bool copied = vm::copy_if_present(run.first + base::PageCount{at}, target);
    there |= static_cast<std::uint32_t>(copied) << at;
  }
  return there;
}

}  // namespace revenant::runtime
