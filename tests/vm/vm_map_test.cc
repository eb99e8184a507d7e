#include "vm/vm_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "tests/vm/vm_map_pages.h"

namespace revenant::vm {
namespace {

using testing::colliding_page;
using testing::dirty_pages;
using testing::kEpoch;
using testing::PageNumber;
using testing::stamped;

constexpr PageNumber kFirst{0x560000000};

class VmMapTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(map_.open().ok()); }
  void TearDown() override { map_.check_invariants(); }

  void insert(PageNumber page, std::uint32_t version = 1) {
    ASSERT_TRUE(map_.insert(page, stamped(page, version)));
  }
  void dirty(PageNumber page) {
    ASSERT_TRUE(map_.update(page, [](PageEntry& entry) { entry.mark_dirty(kEpoch); }));
  }
  void clean(PageNumber page) {
    ASSERT_TRUE(map_.update(page, [](PageEntry& entry) { entry.mark_clean(entry.hash()); }));
  }

  VmMap map_;
};

TEST_F(VmMapTest, AnEmptyMapHasNothing) {
  EXPECT_FALSE(map_.find(kFirst));
  EXPECT_FALSE(map_.find(PageNumber{0}));
  EXPECT_FALSE(map_.find(PageNumber{~0ull >> 12}));
  EXPECT_FALSE(map_.erase(kFirst));
  EXPECT_FALSE(map_.update(kFirst, [](PageEntry&) { FAIL(); }));
  EXPECT_EQ(map_.statistics().entries, 0u);
}

TEST_F(VmMapTest, FindGivesACopyOfWhatWasInserted) {
  for (const PageNumber page : {kFirst, PageNumber{0}, PageNumber{~0ull >> 12}}) {
    insert(page, 3);
    EXPECT_EQ(map_.find(page), stamped(page, 3));
  }
}

TEST_F(VmMapTest, InsertKeepsAnEntryThatIsThere) {
  insert(kFirst, 1);
  EXPECT_FALSE(map_.insert(kFirst, stamped(kFirst, 2)));
  EXPECT_EQ(map_.find(kFirst), stamped(kFirst, 1));
}

TEST_F(VmMapTest, UpsertMakesAnUntouchedEntryOrChangesTheOneThere) {
  EXPECT_TRUE(map_.upsert(kFirst, [](PageEntry& entry) {
    EXPECT_EQ(entry, PageEntry());
    entry.take<touch>();
  }));
  EXPECT_FALSE(map_.upsert(kFirst, [](PageEntry& entry) {
    EXPECT_EQ(entry.state(), PageState::kActive);
    entry.mark_dirty(kEpoch);
  }));
  EXPECT_TRUE(map_.find(kFirst)->dirty());
}

TEST_F(VmMapTest, NeighboursShareABlockThatWidensAsTheyCome) {
  for (std::uint64_t i = 0; i < 16; ++i) {
    const PageNumber page = kFirst + base::PageCount{(i * 7) % 16};
    insert(page);
    const VmMapStatistics statistics = map_.statistics();
    EXPECT_EQ(statistics.blocks, 1u);
    EXPECT_EQ(statistics.lone_blocks, i == 0 ? 1u : 0u);
    EXPECT_EQ(statistics.full_blocks, i >= 4 ? 1u : 0u);
    for (std::uint64_t j = 0; j <= i; ++j) {
      const PageNumber earlier = kFirst + base::PageCount{(j * 7) % 16};
      EXPECT_EQ(map_.find(earlier), stamped(earlier, 1));
    }
    for (std::uint64_t j = i + 1; j < 16; ++j) {
      EXPECT_FALSE(map_.find(kFirst + base::PageCount{(j * 7) % 16}));
    }
    map_.check_invariants();
  }
}

TEST_F(VmMapTest, AnErasedPageIsGoneAndItsBlockIsReused) {
  insert(kFirst);
  const std::uint64_t bytes = map_.statistics().bytes;
  for (std::uint32_t i = 1; i < 1000; ++i) {
    EXPECT_TRUE(map_.erase(kFirst));
    EXPECT_FALSE(map_.erase(kFirst));
    EXPECT_FALSE(map_.find(kFirst));
    EXPECT_EQ(map_.statistics().blocks, 0u);
    insert(kFirst, i);
  }
  EXPECT_EQ(map_.statistics().bytes, bytes);
}

TEST_F(VmMapTest, PagesThatCollideChainAndNoneIsLost) {
  constexpr std::uint64_t kPages = 4000;
  for (std::uint64_t i = 0; i < kPages; ++i) insert(colliding_page((i * 1237) % kPages));
  for (std::uint64_t i = 0; i < kPages; ++i) {
    ASSERT_EQ(map_.find(colliding_page(i)), stamped(colliding_page(i), 1));
  }
  EXPECT_FALSE(map_.find(colliding_page(kPages)));
  for (std::uint64_t i = 0; i < kPages; i += 2) ASSERT_TRUE(map_.erase(colliding_page(i)));
  for (std::uint64_t i = 0; i < kPages; ++i) {
    ASSERT_EQ(map_.find(colliding_page(i)).has_value(), i % 2 == 1);
  }
}

TEST_F(VmMapTest, GrowthGoesOnABucketAtATimeAndLosesNothing) {
  constexpr std::uint64_t kPages = 200'000;
  std::uint64_t buckets = map_.statistics().buckets;
  const std::uint64_t first_buckets = buckets;
  for (std::uint64_t i = 0; i < kPages; ++i) {
    insert(PageNumber{kFirst.value + i * 16});
    const std::uint64_t now = map_.statistics().buckets;
    ASSERT_LE(now, buckets + 4);
    buckets = now;
  }
  EXPECT_GT(buckets, 20 * first_buckets);
  for (std::uint64_t i = 0; i < kPages; ++i) {
    const PageNumber page{kFirst.value + i * 16};
    ASSERT_EQ(map_.find(page), stamped(page, 1));
  }
}

TEST_F(VmMapTest, DenseAndLonePagesAreCheap) {
  constexpr std::uint64_t kPages = 1 << 20;
  for (std::uint64_t i = 0; i < kPages; ++i) insert(kFirst + base::PageCount{i});
  EXPECT_LE(map_.statistics().bytes, 32 * kPages);
  VmMap scattered;
  ASSERT_TRUE(scattered.open().ok());
  for (std::uint64_t i = 0; i < kPages; ++i) {
    scattered.insert({kFirst.value + 4096 * i}, stamped(kFirst, 1));
  }
  EXPECT_EQ(scattered.statistics().entries, kPages);
  EXPECT_LE(scattered.statistics().bytes, 128 * kPages);
}

TEST_F(VmMapTest, AWalkVisitsEveryEntryOnce) {
  std::map<PageNumber, PageEntry> expected;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    for (const PageNumber page : {kFirst + base::PageCount{i}, PageNumber{i * 12345}}) {
      if (map_.insert(page, stamped(page, 5))) expected[page] = stamped(page, 5);
    }
  }
  map_.for_each([&](PageNumber page, const PageEntry& entry) {
    const auto found = expected.find(page);
    ASSERT_NE(found, expected.end());
    EXPECT_EQ(entry, found->second);
    expected.erase(found);
  });
  EXPECT_TRUE(expected.empty());
}

TEST_F(VmMapTest, AWalkMayChangeTheMap) {
  for (std::uint64_t i = 0; i < 1000; ++i) insert(kFirst + base::PageCount{i});
  std::set<PageNumber> visited;
  map_.for_each([&](PageNumber page, const PageEntry&) {
    if (page >= kFirst + base::PageCount{1000}) return;  // made below: may be visited or not
    EXPECT_TRUE(visited.insert(page).second);
    if (page.value % 2 == 0) map_.erase(page);
    const PageNumber made = page + base::PageCount{100'000};
    map_.insert(made, stamped(made, 1));
  });
  EXPECT_EQ(visited.size(), 1000u);
  EXPECT_EQ(map_.statistics().entries, 1500u);
}

TEST_F(VmMapTest, ADirtyWalkVisitsWhatIsDirty) {
  std::set<PageNumber> expected;
  for (std::uint64_t i = 0; i < 5000; ++i) insert(kFirst + base::PageCount{i * 3});
  for (std::uint64_t i = 0; i < 5000; i += 7) {
    dirty(kFirst + base::PageCount{i * 3});
    expected.insert(kFirst + base::PageCount{i * 3});
  }
  for (std::uint64_t i = 0; i < 5000; i += 14) {
    clean(kFirst + base::PageCount{i * 3});
    expected.erase(kFirst + base::PageCount{i * 3});
  }
  for (std::uint64_t i = 7; i < 5000; i += 28) {
    map_.erase(kFirst + base::PageCount{i * 3});
    expected.erase(kFirst + base::PageCount{i * 3});
  }
  EXPECT_EQ(map_.statistics().dirty_entries, expected.size());
  const std::vector<PageNumber> visited = dirty_pages(map_);
  EXPECT_EQ(visited.size(), expected.size());
  EXPECT_EQ(std::set<PageNumber>(visited.begin(), visited.end()), expected);
  // The walk took nothing away.
  EXPECT_EQ(dirty_pages(map_).size(), expected.size());
}

TEST_F(VmMapTest, ADirtyWalkMayCleanDirtyWidenAndErase) {
  for (std::uint64_t i = 0; i < 500; ++i) {
    insert(kFirst + base::PageCount{i * 16});
    dirty(kFirst + base::PageCount{i * 16});
  }
  std::set<PageNumber> visited;
  map_.for_each_dirty([&](PageNumber page, const PageEntry& entry) {
    EXPECT_TRUE(entry.dirty());
    EXPECT_TRUE(visited.insert(page).second);
    const std::uint64_t number = (page - kFirst).value / 16;
    // The blocks of others: some visited already, some not.
    const PageNumber other = kFirst + base::PageCount{(number * 31 + 7) % 500 * 16};
    if (number % 3 == 0) clean(page);
    if (number % 3 == 1) dirty(page);
    if (number % 3 == 2) map_.erase(page);
    const PageNumber neighbour = other + base::PageCount{1};
    map_.upsert(neighbour, [](PageEntry& made) {
      if (made.state() == PageState::kUntouched) made.take<touch>();
    });
  });
  EXPECT_EQ(visited.size(), 500u);
  for (const PageNumber page : dirty_pages(map_)) EXPECT_EQ((page - kFirst).value / 16 % 3, 1u);
}

TEST_F(VmMapTest, TwoDirtyWalksAtATimeAreABug) {
  insert(kFirst);
  dirty(kFirst);
  EXPECT_DEATH(map_.for_each_dirty([&](PageNumber, const PageEntry&) { dirty_pages(map_); }),
               "two walks over the dirty entries");
}

}  // namespace
}  // namespace revenant::vm
