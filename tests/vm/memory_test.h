// What tests of faults and harvests share: an open memory manager over a source of stamped images.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lock.h"
#include "base/units.h"
#include "vm/memory_manager.h"

namespace revenant::vm {

// The bytes of a page's image: every word differs from every word of every other page.
inline std::uint64_t stamp(base::PageNumber page, std::size_t word) {
  return (page.value << 9 | word) * 0x9E3779B97F4A7C15ull;
}

constexpr base::PageNumber page_at(base::PageRun run, std::uint64_t index) {
  return run.first + base::PageCount{index};
}

// A page source without a store: a function says which pages have an image. What is parked is kept
// in memory.
class StampedSource : public PageSource {
 public:
  std::function<Outcome(base::PageNumber, base::Epoch)> outcome_of =
      [](base::PageNumber, base::Epoch) { return Outcome::kAbsent; };

  void fetch(base::PageRun run, base::Epoch not_before, std::byte* frames,
             Fetched* fetched) noexcept override {
    for (std::uint64_t i = 0; i < run.count.value; ++i) {
      fetched[i] = fetch_page(page_at(run, i), not_before, frames + i * base::kPageSize);
    }
  }
  [[nodiscard]] ContentHash hash_of(const std::byte* content) const noexcept override {
    ContentHash hash{.low = 1, .high = 1};
    for (std::size_t at = 0; at < base::kPageSize; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, content + at, 8);
      hash.low = (hash.low ^ word) * 0x9E3779B97F4A7C15ull;
      hash.high = (hash.high + word) * 0xBF58476D1CE4E5B9ull ^ hash.high >> 29;
    }
    return hash;
  }

  [[nodiscard]] base::Result<TicketReference> park(base::PageNumber page, const std::byte* content,
                                                   const ContentHash& hash) override {
    const std::uint32_t number = keep(page, content, hash);
    if (number != 0 && on_park) on_park(page);
    if (number == 0) return base::Error{base::ErrorCode::kNoSpace, "no room to park"};
    return TicketReference{.number = number};
  }
  [[nodiscard]] base::Status finish_parking() override { return {}; }
  [[nodiscard]] Outcome fetch_parked(base::PageNumber, TicketReference parked,
                                     const ContentHash& hash, std::byte* frame) noexcept override {
    const base::LockGuard guard(lock_);
    const Parked& image = parked_[parked.number - 1];
    EXPECT_EQ(image.hash, hash);
    if (image.gone) return Outcome::kAbsent;
    std::memcpy(frame, image.content.data(), base::kPageSize);
    return Outcome::kImage;
  }
  void forget_parked(base::PageRun run, IsWanted is_wanted) override {
    const base::LockGuard guard(lock_);
    for (std::size_t i = 0; i < parked_.size(); ++i) {
      const TicketReference number{.number = static_cast<std::uint32_t>(i + 1)};
      Parked& image = parked_[i];
      if (run.contains(image.page) && !is_wanted(image.page, number, image.hash)) image.gone = true;
    }
  }

  std::atomic<std::uint64_t> fetches{0};
  std::atomic<bool> parking_fails{false};
  std::function<void(base::PageNumber)> on_park;  // once its image is written
  [[nodiscard]] std::size_t kept_images() {
    const base::LockGuard guard(lock_);
    return static_cast<std::size_t>(
        std::ranges::count_if(parked_, [](const Parked& image) { return !image.gone; }));
  }

 protected:
  virtual Fetched fetch_page(base::PageNumber page, base::Epoch not_before,
                             std::byte* frame) noexcept {
    fetches.fetch_add(1);
    const Outcome outcome = outcome_of(page, not_before);
    for (std::size_t word = 0; outcome == Outcome::kImage && word < base::kPageSize / 8; ++word) {
      const std::uint64_t value = stamp(page, word);
      std::memcpy(frame + word * 8, &value, 8);
    }
    return {outcome, outcome == Outcome::kImage ? hash_of(frame) : ContentHash{}};
  }

 private:
  // 0: it fails.
  std::uint32_t keep(base::PageNumber page, const std::byte* content, const ContentHash& hash) {
    const base::LockGuard guard(lock_);
    if (parking_fails) return 0;
    parked_.push_back({.page = page, .hash = hash});
    std::memcpy(parked_.back().content.data(), content, base::kPageSize);
    return static_cast<std::uint32_t>(parked_.size());
  }

  struct Parked {
    base::PageNumber page;
    ContentHash hash;
    std::array<std::byte, base::kPageSize> content;
    bool gone = false;
  };
  base::Lock lock_{base::LockRank::kStore};
  std::deque<Parked> parked_ REVENANT_GUARDED_BY(lock_);
};

// A rule that is a function.
class FunctionRule final : public TicketRule {
 public:
  std::function<Ticket(base::PageNumber)> rule = [](base::PageNumber) {
    return Ticket::zero_fill();
  };
  [[nodiscard]] Ticket ticket_of(base::PageNumber page) const noexcept override {
    return rule(page);
  }
};

// One word of a page. Tests of several threads read and write it as what it is: shared.
inline std::atomic_ref<std::uint64_t> word_of(base::PageNumber page, std::size_t word = 0) {
  return std::atomic_ref(reinterpret_cast<std::uint64_t*>(page.pointer())[word]);
}
inline std::uint64_t read_word(base::PageNumber page, std::size_t word = 0) {
  return word_of(page, word).load(std::memory_order_relaxed);
}
inline void write_word(base::PageNumber page, std::uint64_t value, std::size_t word = 0) {
  word_of(page, word).store(value, std::memory_order_relaxed);
}

inline void write_all(base::PageRun run) {
  for (base::PageNumber page = run.first; page < run.end(); ++page) write_word(page, 1);
}

// The space is open, the heap's pages belong to `heap_rule` (zeros unless told otherwise).
class MemoryTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }

  void open(MemoryOptions options) {
    if (options.tracker == TrackerChoice::kAuto) options.tracker = tracker();
    memory = std::make_unique<MemoryManager>();
    const base::Status opened = memory->open(options, source);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_TRUE(memory->add_segment("heap", kHeapRun, heap_rule).ok());
    adopted.emplace(std::move(memory->adopt_thread()).value());
    ASSERT_TRUE(found.open().ok());
  }

  void TearDown() override {
    adopted.reset();
    memory.reset();
  }

  [[nodiscard]] virtual TrackerChoice tracker() const { return TrackerChoice::kAsync; }

  // The pages written since the last harvest, merged.
  std::span<const base::PageRun> harvest(std::span<const base::PageRun> excluded = {}) {
    found.clear();
    const base::Status status = memory->tracker().harvest(excluded, found);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    found.normalise();
    return found.runs();
  }

  StampedSource source;
  FunctionRule heap_rule;
  std::unique_ptr<MemoryManager> memory;
  std::optional<AdoptedThread> adopted;
  DirtyList found;
};

// The same, with each of the trackers.
class TrackerTest : public MemoryTest, public ::testing::WithParamInterface<TrackerChoice> {
 protected:
  [[nodiscard]] TrackerChoice tracker() const override { return GetParam(); }
};

// The name of a tracker, as the kind of a test.
inline std::string tracker_name(const ::testing::TestParamInfo<TrackerChoice>& info) {
  return info.param == TrackerChoice::kAsync  ? "async"
         : info.param == TrackerChoice::kSync ? "sync"
                                              : "mprotect";
}

#define REVENANT_FOR_EACH_TRACKER(Suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(                                                                     \
      Trackers, Suite,                                                                          \
      ::testing::Values(TrackerChoice::kAsync, TrackerChoice::kSync, TrackerChoice::kMprotect), \
      tracker_name)

}  // namespace revenant::vm
