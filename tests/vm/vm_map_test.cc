#include "vm/vm_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "tests/vm/vm_map_pages.h"

namespace revenant::vm {
namespace {

using testing::colliding_page;
using testing::dirty_pages;
using testing::is_stamped;
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

// By how many pages the entries are apart.
class VmMapWalkTest : public VmMapTest, public ::testing::WithParamInterface<std::uint64_t> {};

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
  constexpr std::uint64_t kPages = internal::kBlockPages;
  for (std::uint64_t i = 0; i < kPages; ++i) {
    const auto page = [](std::uint64_t j) { return kFirst + base::PageCount{(j * 7) % kPages}; };
    insert(page(i));
    const VmMapStatistics statistics = map_.statistics();
    EXPECT_EQ(statistics.lone_entries, i == 0 ? 1u : 0u);
    EXPECT_EQ(statistics.blocks, i == 0 ? 0u : 1u);
    EXPECT_EQ(statistics.full_blocks, i >= 16 ? 1u : 0u);
    for (std::uint64_t j = 0; j <= i; ++j) EXPECT_EQ(map_.find(page(j)), stamped(page(j), 1));
    for (std::uint64_t j = i + 1; j < kPages; ++j) EXPECT_FALSE(map_.find(page(j)));
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
  constexpr std::uint64_t kBlocks = 110'000;
  constexpr std::uint64_t kPagesALook = 8;
  const auto page = [](std::uint64_t block, std::uint64_t index) {
    return PageNumber{kFirst.value + block * internal::kBlockPages + index};
  };
  const VmMapStatistics first = map_.statistics();
  VmMapStatistics last = first;
  // At first they are lone, then they have neighbours.
  for (const std::uint64_t index : {5, 40}) {
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      insert(page(block, index));
      if (block % kPagesALook != 0) continue;
      const VmMapStatistics now = map_.statistics();
      ASSERT_LE(now.buckets, last.buckets + 4 * kPagesALook);
      ASSERT_LE(now.lone_buckets, last.lone_buckets + 4 * kPagesALook);
      last = now;
    }
    EXPECT_EQ(last.lone_entries > kBlocks / 2, index == 5);
  }
  EXPECT_GT(last.buckets, 20 * first.buckets);
  EXPECT_GT(last.lone_buckets, 10 * first.lone_buckets);
  for (std::uint64_t i = 0; i < 2 * kBlocks; ++i) {
    const PageNumber wanted = page(i / 2, i % 2 == 0 ? 5 : 40);
    ASSERT_EQ(map_.find(wanted), stamped(wanted, 1));
  }
}

TEST_F(VmMapTest, LonePagesAreInBucketsUntilTheseAreFull) {
  // As many as a bucket has slots for, and one more.
  for (std::uint64_t i = 0; i < 9; ++i) {
    insert(colliding_page(i * internal::kBlockPages));
    EXPECT_EQ(map_.statistics().lone_entries, std::min<std::uint64_t>(i + 1, 8));
    EXPECT_EQ(map_.statistics().blocks, i == 8 ? 1u : 0u);
  }
  // A slot that was left is taken again.
  EXPECT_TRUE(map_.erase(colliding_page(2 * internal::kBlockPages)));
  insert(colliding_page(9 * internal::kBlockPages));
  EXPECT_EQ(map_.statistics().lone_entries, 8u);
  for (const std::uint64_t i : {0, 1, 3, 4, 5, 6, 7, 8, 9}) {
    const PageNumber page = colliding_page(i * internal::kBlockPages);
    EXPECT_EQ(map_.find(page), stamped(page, 1));
  }
  EXPECT_FALSE(map_.find(colliding_page(2 * internal::kBlockPages)));
}

// Its memory is at once the other block's: a reader that was on its way may have either in hand.
TEST_F(VmMapTest, AReaderOfTheSpaceMeetsNoOtherBlocksEntries) {
  const auto page_of = [](internal::BlockTag tag, std::uint64_t index) {
    return PageNumber{(tag << internal::kBlockShift) + index};
  };
  // Two blocks of one stripe, where the freed are reused.
  const internal::BlockTag first = internal::tag_of(kSpaceRun.first);
  const auto stripe_of = [](internal::BlockTag tag) {
    return internal::BucketTree::stripe_of(internal::hash_of(tag));
  };
  internal::BlockTag second = first + 1;
  while (stripe_of(second) != stripe_of(first)) ++second;
  constexpr std::uint64_t kFilled = 20;  // more than any but a full block has room for
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> found{0};
  std::thread reader([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) {
      const PageNumber page = page_of(i % 2 == 0 ? first : second, i % kFilled);
      const std::optional<PageEntry> entry = map_.find(page);
      if (!entry) continue;
      ++found;
      ASSERT_TRUE(is_stamped(page, *entry)) << page.value;
    }
  });
  // As long as the reader has not met any, it has not begun.
  for (std::uint32_t round = 0; round < 1500 || found == 0; ++round) {
    const internal::BlockTag tag = round % 2 == 0 ? first : second;
    for (std::uint64_t i = 0; i < kFilled; ++i) insert(page_of(tag, i), round);
    ASSERT_EQ(map_.statistics().full_blocks, 1u);
    for (std::uint64_t i = 0; i < kFilled; ++i) ASSERT_TRUE(map_.erase(page_of(tag, i)));
    ASSERT_EQ(map_.statistics().blocks, 0u);
  }
  stop = true;
  reader.join();
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

TEST_P(VmMapWalkTest, ADirtyWalkMayCleanDirtyWidenAndErase) {
  // One page in a block, then two in a block.
  const std::uint64_t stride = GetParam();
  for (std::uint64_t i = 0; i < 500; ++i) {
    insert(kFirst + base::PageCount{i * stride});
    dirty(kFirst + base::PageCount{i * stride});
  }
  std::set<PageNumber> visited;
  map_.for_each_dirty([&](PageNumber page, const PageEntry& entry) {
    EXPECT_TRUE(entry.dirty());
    EXPECT_TRUE(visited.insert(page).second);
    const std::uint64_t number = (page - kFirst).value / stride;
    // The blocks of others: some visited already, some not.
    const PageNumber other = kFirst + base::PageCount{(number * 31 + 7) % 500 * stride};
    if (number % 3 == 0) clean(page);
    if (number % 3 == 1) dirty(page);
    if (number % 3 == 2) map_.erase(page);
    const PageNumber neighbour = other + base::PageCount{1};
    map_.upsert(neighbour, [](PageEntry& made) {
      if (made.state() == PageState::kUntouched) made.take<touch>();
    });
  });
  EXPECT_EQ(visited.size(), 500u);
  for (const PageNumber page : dirty_pages(map_)) {
    EXPECT_EQ((page - kFirst).value / stride % 3, 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(PagesApart, VmMapWalkTest,
                         ::testing::Values(internal::kBlockPages, internal::kBlockPages / 2));

TEST_F(VmMapTest, TwoDirtyWalksAtATimeAreABug) {
  insert(kFirst);
  dirty(kFirst);
  EXPECT_DEATH(map_.for_each_dirty([&](PageNumber, const PageEntry&) { dirty_pages(map_); }),
               "two walks over the dirty entries");
}

}  // namespace
}  // namespace revenant::vm
