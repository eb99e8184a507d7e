// Faults that resume: what a touched page holds, and how many faults it took.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"
#include "vm/guarded_copy.h"

namespace revenant::vm {
namespace {

using Outcome = PageSource::Outcome;

bool is_stamped(base::PageNumber page) {
  for (std::size_t word = 0; word < base::kPageSize / 8; ++word) {
    if (read_word(page, word) != stamp(page, word)) return false;
  }
  return true;
}

bool is_zero(base::PageNumber page) {
  return std::all_of(page.pointer(), page.pointer() + base::kPageSize,
                     [](std::byte byte) { return byte == std::byte{0}; });
}

class FaultTest : public TrackerTest {};

REVENANT_FOR_EACH_TRACKER(FaultTest);

TEST_P(FaultTest, NewMemoryReadsAsZerosAndKeepsWhatIsWritten) {
  const base::PageNumber page = page_at(kHeapRun, 100);
  EXPECT_TRUE(is_zero(page));
  write_word(page, 42, 7);
  EXPECT_EQ(read_word(page, 7), 42u);
  EXPECT_EQ(source.fetches, 0u);
}

TEST_P(FaultTest, ReadingNewMemoryLeavesItCleanAndWritingDoesNot) {
  const base::PageNumber page = page_at(kHeapRun, 100);
  EXPECT_EQ(read_word(page), 0u);
  EXPECT_TRUE(harvest().empty());
  write_word(page, 1);
  ASSERT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.runs()[0], (base::PageRun{page, {1}}));
}

TEST_P(FaultTest, StoredPagesComeFromTheirImagesAndAreClean) {
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  source.outcome_of = [](base::PageNumber page, base::Epoch) {
    return page.value % 3 == 0 ? Outcome::kAbsent : Outcome::kImage;
  };
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const base::PageNumber page = page_at(kHeapRun, i);
    EXPECT_TRUE(page.value % 3 == 0 ? is_zero(page) : is_stamped(page)) << i;
  }
  EXPECT_LT(memory->statistics().faults, 300u) << "a sequence is read ahead";
  EXPECT_TRUE(harvest().empty());
}

TEST_P(FaultTest, AWriteToAStoredPageKeepsTheRestOfItsImage) {
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  source.outcome_of = [](base::PageNumber, base::Epoch) { return Outcome::kImage; };
  const base::PageNumber page = page_at(kHeapRun, 4711);
  write_word(page, 1, 3);
  EXPECT_EQ(read_word(page, 3), 1u);
  EXPECT_EQ(read_word(page, 4), stamp(page, 4));
  EXPECT_EQ(harvest().size(), 1u);
}

TEST_P(FaultTest, TheSourceIsToldWhichImagesAreStale) {
  heap_rule.rule = [](base::PageNumber page) {
    return Ticket::stored(base::Epoch{page < page_at(kHeapRun, 64) ? 5ul : 9ul});
  };
  source.outcome_of = [](base::PageNumber, base::Epoch not_before) {
    return not_before <= base::Epoch{7} ? Outcome::kImage : Outcome::kAbsent;
  };
  for (std::uint64_t i = 0; i < 128; ++i) {
    const base::PageNumber page = page_at(kHeapRun, i);
    EXPECT_TRUE(i < 64 ? is_stamped(page) : is_zero(page)) << i;
  }
}

TEST_P(FaultTest, PagesOfTheOpenEpochAreZerosUnasked) {
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(base::Epoch{12}); };
  memory->set_open_epoch(base::Epoch{12});
  EXPECT_TRUE(is_zero(page_at(kHeapRun, 0)));
  EXPECT_EQ(source.fetches, 0u);
  memory->set_open_epoch(base::Epoch{13});
  EXPECT_TRUE(is_zero(page_at(kHeapRun, 1000)));
  EXPECT_EQ(source.fetches, 1u);
}

TEST_P(FaultTest, ADamagedNeighbourIsNotTouchedByReadAhead) {
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  const base::PageNumber damaged = page_at(kHeapRun, 40);
  source.outcome_of = [&](base::PageNumber page, base::Epoch) {
    return page == damaged ? Outcome::kDamaged : Outcome::kImage;
  };
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_TRUE(is_stamped(page_at(kHeapRun, i))) << i;
  for (std::uint64_t i = 80; i > 40; --i) EXPECT_TRUE(is_stamped(page_at(kHeapRun, i))) << i;
  std::byte frame[base::kPageSize];
  EXPECT_FALSE(copy_if_present(damaged, frame));
}

TEST_P(FaultTest, SequencesBothWaysTakeFewFaults) {
  for (std::uint64_t i = 0; i < 1024; ++i) write_word(page_at(kHeapRun, i), i);
  for (std::uint64_t i = 4096; i > 3072; --i) write_word(page_at(kHeapRun, i), i);
  EXPECT_LT(memory->statistics().faults, 120u);
  for (std::uint64_t i = 0; i < 1024; ++i) EXPECT_EQ(read_word(page_at(kHeapRun, i)), i);
}

TEST_P(FaultTest, FaultsAreCountedByWhatTheyWereAnsweredWith) {
  const base::PageNumber stored = page_at(kHeapRun, 4096);
  heap_rule.rule = [&](base::PageNumber page) {
    return page < stored ? Ticket::zero_fill() : Ticket::stored();
  };
  source.outcome_of = [](base::PageNumber, base::Epoch) { return Outcome::kImage; };
  const MemoryStatistics before = memory->statistics();
  EXPECT_EQ(before.faults, 0u);
  for (std::uint64_t i = 0; i < 700; ++i) write_word(page_at(kHeapRun, i), i);
  for (std::uint64_t i = 0; i < 300; ++i) EXPECT_TRUE(is_stamped(stored + base::PageCount{i}));
  const MemoryStatistics after = memory->statistics();
  EXPECT_GT(after.zero_faults, 0u);
  EXPECT_GT(after.stored_faults, 0u);
  EXPECT_EQ(after.faults, after.zero_faults + after.stored_faults);
  EXPECT_GE(after.zero_pages, 700u);
  EXPECT_GE(after.stored_pages, 300u);
  EXPECT_EQ(after.ahead_pages, after.zero_pages + after.stored_pages - after.faults);
  EXPECT_EQ(after.raced_pages + after.fatal, 0u);
}

TEST_P(FaultTest, ARuleMayFaultOnItsOwnMetadata) {
  // The ticket of a heap page is a word of the metadata; the metadata is stored.
  static const StoredRule metadata_rule;
  ASSERT_TRUE(memory->add_segment("metadata", kHeapMetadataRun, metadata_rule).ok());
  source.outcome_of = [](base::PageNumber page, base::Epoch) {
    return kHeapMetadataRun.contains(page) ? Outcome::kImage : Outcome::kAbsent;
  };
  heap_rule.rule = [](base::PageNumber page) {
    const std::uint64_t index = (page - kHeapRun.first).value;
    const base::PageNumber metadata = page_at(kHeapMetadataRun, index / 512);
    const bool intact = read_word(metadata, index % 512) == stamp(metadata, index % 512);
    return intact ? Ticket::zero_fill() : Ticket::forbidden(ForbiddenReason::kFreed);
  };
  std::mt19937_64 random(testing::seed());
  for (int i = 0; i < 2000; ++i) {
    const base::PageNumber page = page_at(kHeapRun, random() % (1 << 22));
    write_word(page, page.value);
    ASSERT_EQ(read_word(page), page.value);
  }
}

TEST_P(FaultTest, ErrnoIsWhatItWas) {
  errno = EDOM;
  write_word(page_at(kHeapRun, 9000), 1);
  EXPECT_EQ(errno, EDOM);
}

TEST_P(FaultTest, ThreadsThatFaultOnTheSamePagesLoseNothing) {
  constexpr std::uint64_t kPages = 4000;
  heap_rule.rule = [](base::PageNumber page) {
    return page.value % 2 == 0 ? Ticket::stored() : Ticket::zero_fill();
  };
  source.outcome_of = [](base::PageNumber, base::Epoch) { return Outcome::kImage; };
  std::atomic<int> ready{0};
  std::atomic<std::uint64_t> wrong{0};
  const auto touch = [&](std::size_t id) {
    const AdoptedThread thread = std::move(memory->adopt_thread()).value();
    ready.fetch_add(1);
    while (ready.load() < 3) std::this_thread::yield();
    for (std::uint64_t i = 0; i < kPages; ++i) {
      const base::PageNumber page = page_at(kHeapRun, i);
      const std::uint64_t expected = page.value % 2 == 0 ? stamp(page, 100) : 0;
      if (read_word(page, 100) != expected) wrong.fetch_add(1);
      write_word(page, id, id);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t id = 1; id <= 3; ++id) threads.emplace_back(touch, id);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  for (std::uint64_t i = 0; i < kPages; ++i) {
    for (std::size_t id = 1; id <= 3; ++id) ASSERT_EQ(read_word(page_at(kHeapRun, i), id), id);
  }
  harvest();
  EXPECT_EQ(found.pages().value, kPages);
}

TEST_P(FaultTest, AReleasedPageIsForgottenAndToldOnce) {
  const base::PageRun run{page_at(kHeapRun, 10), {20}};
  for (std::uint64_t i = 0; i < 40; ++i) write_word(page_at(kHeapRun, i), 1);
  memory->release(run);
  harvest();
  EXPECT_GE(found.pages().value, 20u) << "what was written beside it is";
  for (const base::PageRun& dirty : found.runs()) {
    EXPECT_TRUE(dirty.end() <= run.first || dirty.first >= run.end());
  }
  DirtyList released;
  ASSERT_TRUE(released.open().ok());
  memory->take_released(released);
  ASSERT_EQ(released.runs().size(), 1u);
  EXPECT_EQ(released.runs()[0], run);
  memory->take_released(released);
  EXPECT_TRUE(released.empty());
  EXPECT_TRUE(is_zero(run.first));
}

TEST_P(FaultTest, ANeighbourReleasedWhileItIsAskedForIsNotFilled) {
  // The rule plays the neighbour's owner, who gives it back just after the handler has asked.
  const base::PageNumber page = page_at(kHeapRun, 21);
  const base::PageNumber neighbour = page_at(kHeapRun, 22);
  heap_rule.rule = [&](base::PageNumber asked) {
    if (asked == neighbour) memory->release({neighbour, {1}});
    return Ticket::zero_fill();
  };
  write_word(page_at(kHeapRun, 20), 1);
  write_word(page, 1);  // the second of a sequence: its window holds the neighbour
  std::byte frame[base::kPageSize];
  EXPECT_TRUE(copy_if_present(page, frame));
  EXPECT_FALSE(copy_if_present(neighbour, frame));
  DirtyList released;
  ASSERT_TRUE(released.open().ok());
  memory->take_released(released);
  EXPECT_EQ(released.pages().value, 1u) << "the neighbour was asked for";
}

TEST_P(FaultTest, AThreadThatWasNotAdoptedFaultsOnItsOwnStack) {
  std::thread([] { write_word(page_at(kHeapRun, 3), 4); }).join();
  EXPECT_EQ(read_word(page_at(kHeapRun, 3)), 4u);
}

TEST_P(FaultTest, AGuardedCopyGivesUpOnWhatIsNotThere) {
  const base::PageNumber page = page_at(kHeapRun, 77);
  std::byte frame[base::kPageSize] = {};
  EXPECT_FALSE(copy_if_present(page, frame));
  write_word(page, 99, 511);
  EXPECT_TRUE(copy_if_present(page, frame));
  EXPECT_EQ(std::memcmp(frame, page.pointer(), base::kPageSize), 0);
  memory->release({page, {1}});
  EXPECT_FALSE(copy_if_present(page, frame));
}

}  // namespace
}  // namespace revenant::vm
