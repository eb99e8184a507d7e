// Harvests against an oracle of contents: what differs from its last copy was reported.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"
#include "vm/guarded_copy.h"

namespace revenant::vm {
namespace {

using Frame = std::array<std::byte, base::kPageSize>;

// The pages as a snapshotter would hold them: copied when, and only when, they were reported.
class Oracle {
 public:
  void copy(base::PageRun run) {
    for (std::uint64_t i = 0; i < run.count.value; ++i) {
      Frame frame;
      if (copy_if_present(page_at(run, i), frame.data())) pages_[page_at(run, i)] = frame;
    }
  }

  // Pages whose content is not what was copied last. Pages never reported must be zeros.
  [[nodiscard]] std::uint64_t differences(base::PageRun within) const {
    std::uint64_t different = 0;
    for (std::uint64_t i = 0; i < within.count.value; ++i) {
      static constexpr Frame kZeros{};
      Frame now{};
      if (!copy_if_present(page_at(within, i), now.data())) continue;
      const auto copied = pages_.find(page_at(within, i));
      different += now != (copied == pages_.end() ? kZeros : copied->second);
    }
    return different;
  }

 private:
  std::unordered_map<base::PageNumber, Frame> pages_;
};

class HarvestTest : public TrackerTest {
 protected:
  // Up to eight disjoint runs of `within`, ascending.
  std::vector<base::PageRun> random_runs(base::PageRun within) {
    std::map<std::uint64_t, std::uint64_t> lengths;
    for (int i = 0; i < 8; ++i) lengths[random() % within.count.value] = random() % 40;
    std::vector<base::PageRun> runs;
    for (const auto& [first, length] : lengths) {
      const base::PageNumber start = page_at(within, first);
      if (length == 0 || (!runs.empty() && runs.back().end() > start)) continue;
      runs.push_back({start, {std::min(length, within.count.value - first)}});
    }
    return runs;
  }

  std::mt19937_64 random{testing::seed()};
};

REVENANT_FOR_EACH_TRACKER(HarvestTest);

TEST_P(HarvestTest, NothingWrittenNothingFound) {
  EXPECT_TRUE(harvest().empty());
  write_word(page_at(kHeapRun, 3), 1);
  EXPECT_EQ(harvest().size(), 1u);
  EXPECT_TRUE(harvest().empty());
}

TEST_P(HarvestTest, ExactlyTheWrittenPagesAreFound) {
  const base::PageRun run{page_at(kHeapRun, 200), {5000}};
  write_all(run);
  harvest();
  for (int round = 0; round < 50; ++round) {
    std::map<std::uint64_t, bool> written;
    for (std::uint64_t i = random() % 200; i > 0; --i) {
      const std::uint64_t index = random() % run.count.value;
      write_word(page_at(run, index), random());
      written[page_at(run, index).value] = true;
    }
    std::map<std::uint64_t, bool> reported;
    for (const base::PageRun& dirty : harvest()) {
      for (std::uint64_t i = 0; i < dirty.count.value; ++i) {
        reported[page_at(dirty, i).value] = true;
      }
    }
    ASSERT_EQ(reported, written) << "round " << round;
  }
}

TEST_P(HarvestTest, ExcludedPagesAreLeftAloneUntilTheyAreNot) {
  const base::PageRun run{page_at(kHeapRun, 1000), {100}};
  write_all(run);
  harvest();  // the neighbours that were filled with them, too
  write_all(run);
  const std::array hot{base::PageRun{page_at(run, 10), {5}}, base::PageRun{page_at(run, 40), {1}}};
  harvest(hot);
  EXPECT_EQ(found.pages().value, 94u);
  harvest(hot);
  EXPECT_TRUE(found.empty());
  harvest();
  EXPECT_EQ(found.pages().value, 6u);
}

TEST_P(HarvestTest, ProtectingForgetsEarlierWritesOnly) {
  const base::PageRun run{page_at(kHeapRun, 64), {8}};
  write_all(run);
  harvest();
  write_all(run);
  ASSERT_TRUE(memory->tracker().protect(run).ok());
  EXPECT_TRUE(harvest().empty());
  write_word(page_at(run, 5), 2);
  EXPECT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.pages().value, 1u);
}

TEST_P(HarvestTest, NoWriteOfSeveralThreadsIsLost) {
  const base::PageRun run{page_at(kHeapRun, 4096 - 700), {1400}};
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (int id = 0; id < 3; ++id) {
    writers.emplace_back([&, id, seed = random()] {
      const AdoptedThread thread = std::move(memory->adopt_thread()).value();
      std::mt19937_64 own(seed);
      while (!done.load(std::memory_order_relaxed)) {
        for (int i = 0; i < 64; ++i) write_word(page_at(run, own() % run.count.value), own(), id);
      }
    });
  }
  Oracle oracle;
  for (int found_some = 0; found_some < 100;) {
    const std::vector<base::PageRun> excluded = random_runs(run);
    for (const base::PageRun& dirty : harvest(excluded)) oracle.copy(dirty);
    found_some += found.empty() ? 0 : 1;
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
  for (const base::PageRun& dirty : harvest()) oracle.copy(dirty);
  EXPECT_EQ(oracle.differences(run), 0u);
}

// Only the tracker async lets chunks cool.
class CoolingTest : public MemoryTest {
 protected:
  std::mt19937_64 random{testing::seed()};
};

TEST_F(CoolingTest, CoolingBesideWritersAndHarvestsLosesNothing) {
  // Writers stay in a chunk for longer than it takes the others to cool, and then come back.
  constexpr std::uint64_t kChunks = 12;
  const base::PageRun run{kHeapRun.first, {kChunks * base::kPagesPerChunk}};
  std::atomic<bool> done{false};
  std::atomic<std::uint32_t> rounds{0};
  std::vector<std::thread> others;
  for (int id = 0; id < 2; ++id) {
    others.emplace_back([&, id, seed = random()] {
      const AdoptedThread thread = std::move(memory->adopt_thread()).value();
      std::mt19937_64 own(seed);
      while (!done.load(std::memory_order_relaxed)) {
        const std::uint64_t chunk = own() % kChunks * base::kPagesPerChunk;
        const std::uint32_t leave_at = rounds + own() % AsyncTracker::kCoolAfter;
        while (!done.load(std::memory_order_relaxed) && rounds < leave_at) {
          write_word(page_at(run, chunk + own() % 64), own(), id);
        }
      }
    });
  }
  others.emplace_back([&] {
    while (!done.load(std::memory_order_relaxed)) EXPECT_TRUE(memory->tracker().cool(4).ok());
  });
  Oracle oracle;
  while (memory->statistics().refused_writes < 40) {
    for (const base::PageRun& dirty : harvest()) oracle.copy(dirty);
    rounds.fetch_add(1);
  }
  done = true;
  for (std::thread& other : others) other.join();
  for (const base::PageRun& dirty : harvest()) oracle.copy(dirty);
  EXPECT_EQ(oracle.differences(run), 0u);
}

}  // namespace
}  // namespace revenant::vm
