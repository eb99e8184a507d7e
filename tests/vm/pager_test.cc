// Pages that leave the space and come back: with each tracker, and where the kernel cannot move.
//
// The oracle is the pages' contents: each holds its own number and how often it was written, and
// the counts are kept elsewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"

namespace revenant::vm {
namespace {

struct Way {
  TrackerChoice tracker = TrackerChoice::kAsync;
  bool moves = true;

  friend void PrintTo(const Way& way, std::ostream* out) {
    *out << static_cast<int>(way.tracker) << (way.moves ? " moves" : " copies");
  }
};

constexpr base::PageRun run_at(std::uint64_t index, std::uint64_t count) {
  return {kHeapRun.first + base::PageCount{index}, {count}};
}

class PagerTest : public MemoryTest, public ::testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {}
  void TearDown() override {
    if (memory != nullptr) memory->pager().lists().check_invariants();
    MemoryTest::TearDown();
  }
  [[nodiscard]] TrackerChoice tracker() const override { return GetParam().tracker; }

  void open_with(std::uint64_t budget) {
    open({.memory_budget = {budget}, .move_frames = GetParam().moves});
    memory->trimmer().note_writer_thread();
  }
  PageState state_of(base::PageNumber page) {
    const auto entry = memory->map().find(page);
    return entry.has_value() ? entry->state() : PageState::kUntouched;
  }
  std::uint64_t take_out(base::PageRun run) {
    std::vector<Pager::Candidate> candidates;
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      const auto entry = memory->map().find(page);
      if (entry.has_value()) candidates.push_back({entry->ticket().number, page});
    }
    return memory->pager().take_out(candidates);
  }
  // How many pages of `run` are in that state. What lies beside them may have been read ahead.
  std::uint64_t in_state(base::PageRun run, PageState state) {
    std::uint64_t found = 0;
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      found += state_of(page) == state ? 1 : 0;
    }
    return found;
  }
  // All frames that are in use are of active pages, once nothing waits to be given back.
  bool only_active() {
    memory->pager().settle_discarded();
    const PageLists& lists = memory->pager().lists();
    return lists.in_use() == lists.length(ListName::kActive);
  }
};

TEST_P(PagerTest, AModifiedPageComesBackAsItLeft) {
  open_with(64);
  const base::PageRun run = run_at(16, 8);
  for (std::uint64_t i = 0; i < 8; ++i) write_word(page_at(run, i), 100 + i, 5);
  EXPECT_GE(take_out(run), 8u);
  EXPECT_EQ(in_state(run, PageState::kModified), 8u);
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(read_word(page_at(run, i), 5), 100 + i);
  EXPECT_EQ(in_state(run, PageState::kActive), 8u);
  EXPECT_GE(memory->counters().modified_faults, 1u);
  EXPECT_TRUE(only_active());
}

TEST_P(PagerTest, WhatCameBackCountsAsWritten) {
  open_with(64);
  const base::PageRun run = run_at(0, 1);
  write_word(run.first, 1);
  harvest();
  take_out(run);
  EXPECT_TRUE(harvest().empty()) << "what is outside no tracker reports";
  EXPECT_EQ(read_word(run.first), 1u);
  ASSERT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.runs()[0], run);
}

TEST_P(PagerTest, APageThatComesBackUnchangedIsNotReportedAgain) {
  source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  open_with(64);
  const base::PageRun run = run_at(0, 1);
  (void)read_word(run.first);
  take_out(run);
  EXPECT_EQ(state_of(run.first), PageState::kStandby);
  (void)read_word(run.first);
  EXPECT_EQ(state_of(run.first), PageState::kActive);
  // That way brings all back open.
  EXPECT_EQ(harvest().size(), tracker() == TrackerChoice::kMprotect ? 1u : 0u);
  write_word(run.first, 2);
  EXPECT_EQ(harvest().size(), 1u);
}

// A page that came back may leave a copy behind in the pool, and be gone again before that is.
TEST_P(PagerTest, WhatAPageLeftBehindNeverTakesItsPlace) {
  open_with(512);
  const base::PageRun run = run_at(0, 96);
  for (std::uint64_t round = 1; round <= 6; ++round) {
    for (std::uint64_t i = 0; i < 96; i += 3) write_word(page_at(run, i), round * 1000 + i, 7);
    for (std::uint64_t i = 0; i < 96; i += 3) {
      take_out({page_at(run, i), {1}});
      EXPECT_EQ(read_word(page_at(run, i), 7), round * 1000 + i);
      if (i % 2 != 0) continue;
      take_out({page_at(run, i), {1}});
      EXPECT_NE(state_of(page_at(run, i)), PageState::kActive);
    }
    memory->pager().settle_discarded();
    for (std::uint64_t i = 0; i < 96; i += 3) {
      EXPECT_EQ(read_word(page_at(run, i), 7), round * 1000 + i);
    }
  }
  EXPECT_TRUE(only_active());
}

TEST_P(PagerTest, WhatIsLeftBehindCountsUntilItIsGivenBack) {
  open_with(64);
  const base::PageRun run = run_at(0, 1);
  write_word(run.first, 1);
  take_out(run);
  const std::uint64_t before = memory->pager().lists().in_use();
  EXPECT_EQ(read_word(run.first), 1u);
  const std::uint64_t left = memory->pager().lists().in_use() - before;
  EXPECT_EQ(memory->pager().settle_discarded(), left);
  EXPECT_EQ(memory->pager().lists().in_use(), before);
  EXPECT_LE(left, 1u);
}

TEST_P(PagerTest, APageOfZerosLeavesNothingBehind) {
  open_with(64);
  const base::PageRun run = run_at(0, 16);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(read_word(page_at(run, i)), 0u);
  take_out(run);
  EXPECT_TRUE(only_active());
  EXPECT_EQ(in_state(run, PageState::kUntouched), 16u);
  EXPECT_EQ(read_word(run.first), 0u);
}

TEST_P(PagerTest, APageThatWasOnlyReadGoesToStandbyAndItsFrameIsFreed) {
  source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  open_with(64);
  const base::PageRun run = run_at(32, 4);
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(read_word(page_at(run, i), 9), stamp(page_at(run, i), 9));
  }
  take_out(run);
  EXPECT_EQ(in_state(run, PageState::kStandby), 4u);
  std::array<Pager::Candidate, 32> oldest;
  const std::size_t taken = memory->pager().lists().take_oldest(ListName::kStandby, oldest);
  ASSERT_GE(taken, 4u);
  EXPECT_EQ(read_word(run.first, 9), stamp(run.first, 9)) << "rescued from whoever has its frame";
  std::uint64_t rescued = 0;
  for (std::size_t i = 0; i < taken; ++i) {
    rescued += state_of(oldest[i].page) == PageState::kActive ? 1 : 0;
  }
  EXPECT_GE(rescued, 1u);
  EXPECT_EQ(memory->pager().drop({oldest.data(), taken}), taken - rescued);
  EXPECT_TRUE(only_active());
  const std::uint64_t fetches = source.fetches;
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(read_word(page_at(run, i), 9), stamp(page_at(run, i), 9));
  }
  EXPECT_EQ(source.fetches == fetches, rescued == taken);
}

// The fault has asked what the page is to hold while its epoch was open; the snapshot that stores
// it ends before the page is brought in.
TEST_P(PagerTest, WhatASnapshotHasJustStoredIsNotTakenForZeros) {
  source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
  int asked = -1'000'000;  // long before
  heap_rule.rule = [&](base::PageNumber) {
    if (++asked == 2) memory->set_open_epoch(base::Epoch{13});
    return Ticket::stored(base::Epoch{12});
  };
  open_with(64);
  memory->set_open_epoch(base::Epoch{13});
  const base::PageRun run = run_at(0, 1);
  EXPECT_EQ(read_word(run.first, 7), stamp(run.first, 7));
  take_out(run);
  std::array<Pager::Candidate, 32> oldest;
  const std::size_t taken = memory->pager().lists().take_oldest(ListName::kStandby, oldest);
  memory->pager().drop({oldest.data(), taken});
  ASSERT_EQ(state_of(run.first), PageState::kStored);
  memory->set_open_epoch(base::Epoch{12});
  asked = 0;
  EXPECT_EQ(read_word(run.first, 7), stamp(run.first, 7));
}

TEST_P(PagerTest, WhileASnapshotIsMadeNothingCountsAsClean) {
  source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  open_with(64);
  const base::PageRun run = run_at(0, 1);
  EXPECT_EQ(read_word(run.first), stamp(run.first, 0));
  memory->pager().hold_judgement(true);
  take_out(run);
  EXPECT_EQ(state_of(run.first), PageState::kModified);
}

TEST_P(PagerTest, AParkedPageHasNoFrameAndComesBack) {
  open_with(64);
  const base::PageRun run = run_at(0, 16);
  for (std::uint64_t i = 0; i < 16; ++i) write_word(page_at(run, i), 7 * i + 1);
  take_out(run);
  const auto freed = memory->modified_writer().write_some();
  ASSERT_TRUE(freed.ok());
  EXPECT_GE(*freed, 16u);
  EXPECT_TRUE(only_active());
  EXPECT_EQ(in_state(run, PageState::kParked), 16u);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(read_word(page_at(run, i)), 7 * i + 1);
  // No snapshot has it: though it was only read, it may not be dropped.
  take_out({run.first, {1}});
  EXPECT_EQ(state_of(run.first), PageState::kModified);
}

TEST_P(PagerTest, APageThatIsParkedTwiceAtOnceIsWhatItWasLast) {
  open_with(64);
  const base::PageRun run = run_at(0, 1);
  write_word(run.first, 1);
  take_out(run);
  source.on_park = [&](base::PageNumber page) {
    source.on_park = nullptr;
    write_word(page, 2);  // wanted while it is in transit
    take_out(run);
  };
  ASSERT_TRUE(memory->modified_writer().write_some().ok());
  EXPECT_EQ(memory->statistics().parked_pages, 1u);
  EXPECT_EQ(read_word(run.first), 2u);
}

// Else the next snapshot would take it over, though the page may be what its image was before.
TEST_P(PagerTest, TheImageOfAPageThatWasWantedMeanwhileIsForgotten) {
  open_with(64);
  const base::PageRun run = run_at(0, 1);
  write_word(run.first, 1);
  take_out(run);
  source.on_park = [](base::PageNumber page) { write_word(page, 0); };
  ASSERT_TRUE(memory->modified_writer().write_some().ok());
  EXPECT_EQ(source.kept_images(), 0u);
}

TEST_P(PagerTest, WhereParkingFailsThePagesStay) {
  open_with(64);
  const base::PageRun run = run_at(0, 4);
  for (std::uint64_t i = 0; i < 4; ++i) write_word(page_at(run, i), i + 1);
  take_out(run);
  source.parking_fails = true;
  EXPECT_FALSE(memory->modified_writer().write_some().ok());
  EXPECT_EQ(in_state(run, PageState::kModified), 4u);
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(read_word(page_at(run, i)), i + 1);
}

TEST_P(PagerTest, WhatWasGivenBackIsGoneWhereverItWas) {
  open_with(64);
  const base::PageRun run = run_at(0, 48);
  for (std::uint64_t i = 0; i < 48; ++i) write_word(page_at(run, i), i + 1);
  take_out(run_at(0, 16));
  ASSERT_TRUE(memory->modified_writer().write_some().ok());
  take_out(run_at(16, 16));
  memory->release(run);
  EXPECT_EQ(in_state(run, PageState::kUntouched), 48u);
  EXPECT_TRUE(only_active());
  for (std::uint64_t i = 0; i < 48; ++i) EXPECT_EQ(read_word(page_at(run, i)), 0u);
  EXPECT_GT(source.kept_images(), 0u);
  ASSERT_TRUE(memory->modified_writer().write_some().ok());
  EXPECT_EQ(source.kept_images(), 0u);
}

TEST_P(PagerTest, WhatIsParkedOfANewLifeOutlivesTheOldOnesEnd) {
  open_with(64);
  const base::PageRun first = run_at(0, 1), second = run_at(32, 1);
  write_word(first.first, 1);
  write_word(second.first, 1);
  take_out(first);
  source.on_park = [&](base::PageNumber) {
    source.on_park = nullptr;
    memory->release(second);
    write_word(second.first, 2);
    take_out(second);  // parked in the same go, before its release was heard of
  };
  ASSERT_TRUE(memory->modified_writer().write_some().ok());
  EXPECT_EQ(in_state(second, PageState::kParked), 1u);
  ASSERT_TRUE(memory->modified_writer().write_some().ok());
  EXPECT_EQ(read_word(second.first), 2u);
}

TEST_P(PagerTest, ASnapshotMakesModifiedPagesStandby) {
  open_with(64);
  Pager& pager = memory->pager();
  const auto page = [](std::uint64_t index) { return run_at(16 * index, 1); };
  for (std::uint64_t i = 0; i < 3; ++i) write_word(page(i).first, i + 1);
  for (std::uint64_t i = 0; i < 3; ++i) take_out(page(i));
  found.clear();
  const std::uint64_t round = pager.lists().next_round(found);
  alignas(64) std::array<std::byte, base::kPageSize> copy;
  std::vector<ContentHash> hashes;
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::ranges::any_of(
        found.runs(), [&](const base::PageRun& run) { return run.contains(page(i).first); }));
    ASSERT_TRUE(pager.copy_outside(page(i).first, copy.data()));
    hashes.push_back(source.hash_of(copy.data()));
  }
  // The second is written again after the stop, the third begins a new life.
  write_word(page(1).first, 20);
  take_out(page(1));
  memory->release(page(2));
  write_word(page(2).first, 30);
  for (std::uint64_t i = 0; i < 3; ++i) pager.settle(page(i).first, hashes[i], round);
  EXPECT_EQ(state_of(page(0).first), PageState::kStandby);
  EXPECT_EQ(state_of(page(1).first), PageState::kModified);
  EXPECT_EQ(memory->map().find(page(1).first)->hash(), hashes[1]);
  EXPECT_EQ(memory->map().find(page(2).first)->hash(), ContentHash{});
}

// The set is four times the budget; two threads walk it at random, a third one writes ahead.
TEST_P(PagerTest, NoPageIsLostUnderABudget) {
  constexpr std::uint64_t kBudget = 512;
  constexpr std::uint64_t kPages = 4 * kBudget;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr int kVisits = 1'000;
#else
  constexpr int kVisits = 5'000;
#endif
  open({.memory_budget = {kBudget}, .move_frames = GetParam().moves});
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> most{0};
  std::thread housekeeping([&] {
    const auto adoption = memory->adopt_thread();
    memory->trimmer().note_writer_thread();
    while (!done.load()) {
      memory->trimmer().pay_back();
      if (memory->trimmer().wants_writing()) {
        EXPECT_TRUE(memory->modified_writer().write_some(64).ok());
        memory->trimmer().note_progress();
      }
      most = std::max(most.load(), memory->pager().lists().in_use());
      std::this_thread::yield();
    }
  });
  const std::uint64_t seed = testing::seed();
  const auto walk = [&](std::uint64_t index) {
    const auto adoption = memory->adopt_thread();
    std::mt19937_64 random(seed + index);
    std::vector<std::uint32_t> versions(kPages);
    for (int visit = 0; visit < kVisits && !HasFailure(); ++visit) {
      std::uint64_t at = random() % kPages;
      for (std::uint64_t step = random() % 24; step != 0 && at < kPages; --step, at += 1) {
        // Neighbours belong to different threads.
        const std::uint64_t mine = at / 2 * 2 + index;
        const base::PageNumber page = kHeapRun.first + base::PageCount{mine};
        const std::uint64_t wanted = versions[mine] == 0 ? 0 : mine << 32 | versions[mine];
        ASSERT_EQ(read_word(page), wanted) << "page " << mine;
        ASSERT_EQ(read_word(page, 511), wanted) << "page " << mine;
        if (random() % 3 != 0) continue;
        const std::uint64_t next = mine << 32 | ++versions[mine];
        write_word(page, next);
        write_word(page, next, 511);
      }
    }
  };
  std::thread first(walk, 0), second(walk, 1);
  first.join();
  second.join();
  done = true;
  housekeeping.join();
  EXPECT_LE(most.load(), kBudget + 64) << "threads that waited long";
  EXPECT_GT(memory->counters().written_pages.load(), 0u);
  memory->map().check_invariants();
}

INSTANTIATE_TEST_SUITE_P(
    Ways, PagerTest,
    ::testing::Values(Way{TrackerChoice::kAsync, true}, Way{TrackerChoice::kAsync, false},
                      Way{TrackerChoice::kSync, true}, Way{TrackerChoice::kSync, false},
                      Way{TrackerChoice::kMprotect, true}),
    [](const ::testing::TestParamInfo<Way>& info) {
      return tracker_name({info.param.tracker, info.index}) + (info.param.moves ? "" : "_copies");
    });

}  // namespace
}  // namespace revenant::vm
