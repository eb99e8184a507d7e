// Who leaves memory for whom, with each tracker.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"
#include "vm/page_runs.h"

namespace revenant::vm {
namespace {

base::PageNumber page_at(std::uint64_t index) { return kHeapRun.first + base::PageCount{index}; }

class TrimmerTest : public MemoryTest, public ::testing::WithParamInterface<TrackerChoice> {
 protected:
  void SetUp() override {
    source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
    heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  }
  [[nodiscard]] TrackerChoice tracker() const override { return GetParam(); }

  void open_with(std::uint64_t budget) {
    open({.memory_budget = {budget}});
    memory->trimmer().note_writer_thread();
  }
};

TEST_P(TrimmerTest, ARescueTakesNoOtherPagesPlace) {
  constexpr std::uint64_t kSet = 250;
  heap_rule.rule = [](base::PageNumber page) {
    return page.value % 16 == 0 ? Ticket::stored() : Ticket::forbidden(ForbiddenReason::kUnmapped);
  };
  open_with(256);
  for (std::uint64_t i = 0; i < kSet; ++i) (void)read_word(page_at(16 * i));
  for (std::uint64_t i = 0; i < kSet / 2; ++i) {
    const base::PageNumber page = page_at(16 * i);
    Pager::Candidate candidate{memory->map().find(page)->frame(), page};
    memory->pager().take_out({&candidate, 1});
  }
  for (std::uint64_t i = 0; i < kSet / 2; ++i) (void)read_word(page_at(16 * i));
  EXPECT_EQ(memory->counters().dropped_pages, 0u);
  EXPECT_EQ(memory->counters().stored_faults, kSet);
  EXPECT_EQ(memory->counters().trimmed_pages, kSet / 2);
}

// What was written before a harvest is found by it, or has left and is on the modified list.
TEST_P(TrimmerTest, AHarvestThatNothingLeavesMeanwhileMissesNoWrite) {
  constexpr std::uint64_t kBudget = 256;
  constexpr std::uint64_t kWritten = 16;
  open_with(kBudget);
  std::atomic<bool> done{false};
  std::thread other([&] {
    const auto adopted = memory->adopt_thread();
    std::mt19937_64 random(testing::seed());
    while (!done) (void)read_word(page_at(1024 + random() % (8 * kBudget)));
  });
  DirtyList dirty;
  ASSERT_TRUE(dirty.open().ok());
  for (std::uint64_t round = 1; round <= 400 && !HasFailure(); ++round) {
    for (std::uint64_t i = 0; i < kWritten; ++i) write_word(page_at(i), round);
    dirty.clear();
    memory->trimmer().while_nothing_leaves([&] {
      EXPECT_TRUE(memory->tracker().harvest({}, dirty).ok());
      memory->pager().lists().next_round(dirty);
    });
    dirty.normalise();
    for (std::uint64_t i = 0; i < kWritten; ++i) {
      EXPECT_TRUE(any_contains(dirty.runs(), page_at(i))) << "page " << i << ", round " << round;
    }
  }
  done = true;
  other.join();
}

INSTANTIATE_TEST_SUITE_P(Trackers, TrimmerTest,
                         ::testing::Values(TrackerChoice::kAsync, TrackerChoice::kSync,
                                           TrackerChoice::kMprotect));

}  // namespace
}  // namespace revenant::vm
