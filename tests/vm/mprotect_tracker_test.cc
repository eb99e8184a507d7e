// The tracker mprotect and the kernel's limit of mappings: pages scattered so that each would cost
// one.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"
#include "tests/vm/space_mappings.h"
#include "vm/mprotect_tracker_linux.h"

namespace revenant::vm {
namespace {

class MprotectTrackerTest : public MemoryTest {
 protected:
  static constexpr std::uint64_t kBudget = 600;

  void SetUp() override {}
  void open_with(std::uint64_t budget) {
    open({.tracker = TrackerChoice::kMprotect, .mapping_budget = budget});
  }

  [[nodiscard]] std::uint64_t counted() {
    return dynamic_cast<MprotectTracker&>(memory->tracker()).mappings();
  }
  // The kernel's own count agrees, and is within `budget`, and what the last few opened.
  void expect_within(std::uint64_t budget) {
    // Before the first page there is one mapping already; each border adds one.
    EXPECT_EQ(space_mappings(), counted() + 1);
    EXPECT_LE(counted(), budget + 4);
  }

  // Writes `value` to each page of `pages`, remembers it, and has the copies of earlier harvests
  // follow.
  void write(const std::vector<std::uint64_t>& pages) {
    for (const std::uint64_t index : pages) {
      written_[index] = random();
      write_word(page_at(kHeapRun, index), written_[index], index % 512);
    }
  }
  void copy_harvest() {
    for (const base::PageRun& run : harvest()) {
      for (base::PageNumber page = run.first; page < run.end(); ++page) {
        const std::uint64_t index = (page - kHeapRun.first).value;
        copied_[index] = read_word(page, index % 512);
      }
    }
  }
  // Every page that was written is copied as it is now.
  void expect_all_copied() {
    for (const auto& [index, value] : written_) {
      ASSERT_EQ(read_word(page_at(kHeapRun, index), index % 512), value) << "page " << index;
      ASSERT_EQ(copied_[index], value) << "page " << index;
    }
  }

  std::vector<std::uint64_t> every(std::uint64_t stride, std::uint64_t count) {
    std::vector<std::uint64_t> pages(count);
    for (std::uint64_t i = 0; i < count; ++i) pages[i] = i * stride;
    std::ranges::shuffle(pages, random);
    return pages;
  }

  std::mt19937_64 random{testing::seed()};
  std::map<std::uint64_t, std::uint64_t> written_;
  std::map<std::uint64_t, std::uint64_t> copied_;
};

TEST_F(MprotectTrackerTest, LonePagesOfNewMemoryMeltTogether) {
  open_with(kBudget);
  for (int round = 0; round < 4; ++round) {
    write(every(3, 4000));
    expect_within(kBudget);
    copy_harvest();
    expect_all_copied();
  }
}

TEST_F(MprotectTrackerTest, LoneWritesToWhatIsThereMeltTogether) {
  open_with(kBudget);
  write_all({kHeapRun.first, {20000}});
  copy_harvest();
  for (int round = 0; round < 5; ++round) {
    write(every(2 + round, 4000));
    expect_within(kBudget);
    copy_harvest();
    expect_within(kBudget);
    expect_all_copied();
  }
}

TEST_F(MprotectTrackerTest, LonePagesOfTheStoreAreFetchedByChunks) {
  open_with(kBudget);
  heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
  source.outcome_of = [](base::PageNumber page, base::Epoch) {
    return page.value % 2 == 0 ? PageSource::Outcome::kImage : PageSource::Outcome::kAbsent;
  };
  const std::vector<std::uint64_t> pages = every(5, 3000);
  for (const std::uint64_t index : pages) {
    const base::PageNumber page = page_at(kHeapRun, index);
    ASSERT_EQ(read_word(page, 77), page.value % 2 == 0 ? stamp(page, 77) : 0) << index;
  }
  EXPECT_TRUE(harvest().empty());
  expect_within(kBudget);
  write(pages);
  expect_within(kBudget);
  copy_harvest();
  expect_all_copied();
}

TEST_F(MprotectTrackerTest, LonePagesGivenBackReadAsZerosAndAreTrackedAnew) {
  open_with(kBudget);
  write_all({kHeapRun.first, {9000}});
  harvest();
  for (const std::uint64_t index : every(3, 3000)) memory->release({page_at(kHeapRun, index), {1}});
  expect_within(kBudget);
  for (const std::uint64_t index : every(3, 3000)) {
    ASSERT_EQ(read_word(page_at(kHeapRun, index)), 0u) << index;
    ASSERT_EQ(read_word(page_at(kHeapRun, index + 1)), 1u) << index;
  }
  harvest();
  write(every(3, 3000));
  copy_harvest();
  expect_all_copied();
}

TEST_F(MprotectTrackerTest, ExcludedPagesStayAsTheyAreInEveryRound) {
  open_with(kBudget);
  write_all({kHeapRun.first, {4000}});
  harvest();
  std::vector<base::PageRun> hot;
  for (std::uint64_t i = 0; i < 100; ++i) hot.push_back({page_at(kHeapRun, 40 * i + 7), {2}});
  for (int round = 0; round < 4; ++round) {
    write(every(2, 2000));
    for (const base::PageRun& run : harvest(hot)) {
      for (const base::PageRun& left : hot) ASSERT_FALSE(run.overlaps(left));
    }
    expect_within(kBudget + 200);
  }
  copy_harvest();
  for (const base::PageRun& left : hot) {
    for (base::PageNumber page = left.first; page < left.end(); ++page) {
      const std::uint64_t index = (page - kHeapRun.first).value;
      ASSERT_EQ(copied_[index], read_word(page, index % 512));
    }
  }
}

// A dump of the memory file would fill it, and the disk, to the size of the space.
TEST_F(MprotectTrackerTest, NoDumpIsMadeOfTheMemoryFile) {
  open_with(kBudget);
  write_all({page_at(kHeapRun, 100), {3}});
  harvest();
  for (const std::uint64_t index : {0, 100, 101, 5000}) {
    EXPECT_NE(space_flags(page_at(kHeapRun, index)).find(" dd"), std::string::npos) << index;
  }
}

TEST_F(MprotectTrackerTest, TwoHundredThousandScatteredDirtyPages) {
  open_with(0);
  constexpr std::uint64_t kPages = 200'000;
  for (std::uint64_t i = 0; i < kPages; ++i) {
    const std::uint64_t index = i * 7919 % kPages;
    write_word(page_at(kHeapRun, 2 * index), index + 1);
  }
  EXPECT_LE(space_mappings(), 65530u / 2 + 5);
  harvest();
  EXPECT_GE(found.pages().value, kPages);
  for (std::uint64_t i = 0; i < kPages; ++i) {
    ASSERT_EQ(read_word(page_at(kHeapRun, 2 * i)), i + 1);
  }
  EXPECT_TRUE(harvest().empty());
}

}  // namespace
}  // namespace revenant::vm
