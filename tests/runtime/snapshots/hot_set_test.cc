// Who is hot: against a model that remembers each page's last stops.
#include "runtime/snapshots/hot_set.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>

#include "tests/support/seed.h"

namespace revenant::runtime {
namespace {

class HotSetTest : public ::testing::Test {
 protected:
  HotSetTest() { EXPECT_TRUE(map_->open().ok()); }

  // One stop in which `pages` were written.
  std::vector<base::PageRun> stop(const std::set<std::uint64_t>& pages) {
    now_ = now_.next();
    for (const std::uint64_t page : pages) {
      map_->upsert(base::PageNumber{page}, [](vm::PageEntry& entry) {
        if (entry.state() == vm::PageState::kUntouched) entry.take<vm::touch>();
      });
      hot_.note_dirty(base::PageNumber{page}, now_);
    }
    std::vector<base::PageRun> cooled;
    hot_.learn(now_, cooled);
    return cooled;
  }

  bool hot(std::uint64_t page) const { return hot_.contains(base::PageNumber{page}); }

  const std::unique_ptr<vm::VmMap> map_ = std::make_unique<vm::VmMap>();
  HotSet hot_{*map_};
  base::Epoch now_{100};
};

TEST_F(HotSetTest, APageIsHotAfterTwoStopsInARow) {
  stop({7});
  EXPECT_FALSE(hot(7));
  stop({});
  stop({7});
  EXPECT_FALSE(hot(7)) << "two stops, but not in a row";
  stop({7});
  EXPECT_TRUE(hot(7));
  EXPECT_EQ(hot_.pages(), 1u);
}

TEST_F(HotSetTest, AQuietPageCoolsAndIsHandedBack) {
  stop({7});
  stop({7});
  for (int quiet = 0; quiet < 7; ++quiet) EXPECT_TRUE(stop({}).empty());
  const auto cooled = stop({});
  ASSERT_EQ(cooled.size(), 1u);
  EXPECT_EQ(cooled[0].first.value, 7u);
  EXPECT_FALSE(hot(7));
}

TEST_F(HotSetTest, APageThatIsLetGoIsHandedBackAtOnceAndMayHeatAgain) {
  stop({7, 8});
  stop({7, 8});
  hot_.let_go(base::PageNumber{7});
  const auto cooled = stop({8});
  ASSERT_EQ(cooled.size(), 1u);
  EXPECT_EQ(cooled[0], (base::PageRun{base::PageNumber{7}, {1}}));
  EXPECT_FALSE(hot(7));
  EXPECT_TRUE(hot(8));
  stop({7, 8});
  stop({7, 8});
  EXPECT_TRUE(hot(7));
}

TEST_F(HotSetTest, PinnedPagesStay) {
  hot_.pin({base::PageNumber{40}, {2}});
  EXPECT_FALSE(hot_.has_unpinned());
  for (int quiet = 0; quiet < 20; ++quiet) EXPECT_TRUE(stop({}).empty());
  EXPECT_TRUE(hot(40));
  EXPECT_TRUE(hot(41));
  stop({7});
  stop({7});
  EXPECT_TRUE(hot_.has_unpinned());
}

TEST_F(HotSetTest, BeyondTheMostRunsTheLongestAndThePinnedAreKept) {
  hot_.pin({base::PageNumber{1}, {1}});
  std::set<std::uint64_t> pages;
  for (std::uint64_t i = 0; i < 2 * HotSet::kMaxRuns; ++i) pages.insert(1000 + 10 * i);
  for (std::uint64_t i = 0; i < 50; ++i) pages.insert(100'000 + i);
  stop(pages);
  const auto cooled = stop(pages);
  EXPECT_EQ(hot_.runs().size(), HotSet::kMaxRuns);
  EXPECT_TRUE(hot(1));
  EXPECT_TRUE(hot(100'049));
  std::set<std::uint64_t> handed_back;
  for (const base::PageRun& run : cooled) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      handed_back.insert(page.value);
    }
  }
  for (const std::uint64_t page : pages) EXPECT_NE(hot(page), handed_back.contains(page)) << page;
}

TEST_F(HotSetTest, AgreesWithAModelOverRandomStops) {
  std::mt19937_64 random(testing::seed());
  std::map<std::uint64_t, unsigned> history;  // the last eight stops, newest in bit 0
  std::set<std::uint64_t> model;
  for (int round = 0; round < 2000; ++round) {
    std::set<std::uint64_t> dirty;
    for (std::uint64_t page = 0; page < 40; ++page) {
      const bool often = (round / 100 + page) % 3 == 0;
      if (random() % 100 < (often ? 90u : 8u)) dirty.insert(page * 3);
    }
    stop(dirty);
    for (std::uint64_t page = 0; page < 120; page += 3) {
      unsigned& bits = history[page];
      bits = ((bits << 1) | (dirty.contains(page) ? 1u : 0u)) & 0xff;
      if ((bits & 3) == 3) model.insert(page);
      if (bits == 0) model.erase(page);
      ASSERT_EQ(hot(page), model.contains(page)) << "round " << round << " page " << page;
    }
  }
}

}  // namespace
}  // namespace revenant::runtime
