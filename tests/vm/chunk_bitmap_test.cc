// The set of chunks, against a std::set.
#include "vm/chunk_bitmap.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/seed.h"

namespace revenant::vm {
namespace {

std::vector<ChunkRun> runs_of(const ChunkBitmap& bitmap) {
  std::vector<ChunkRun> runs;
  bitmap.for_each_run([&](ChunkRun run) { return runs.push_back(run), true; });
  return runs;
}

std::vector<ChunkRun> runs_of(const std::set<std::uint32_t>& chunks) {
  std::vector<ChunkRun> runs;
  for (const std::uint32_t chunk : chunks) {
    if (!runs.empty() && runs.back().first.value + runs.back().count == chunk) {
      ++runs.back().count;
    } else {
      runs.push_back({{chunk}, 1});
    }
  }
  return runs;
}

TEST(ChunkBitmapTest, RunsCrossWordsAndEndAtTheEnds) {
  const auto bitmap = std::make_unique<ChunkBitmap>();
  EXPECT_TRUE(runs_of(*bitmap).empty());
  for (std::uint32_t chunk = 60; chunk < 260; ++chunk) bitmap->set({chunk});
  bitmap->set({0});
  bitmap->set({kChunkLimit - 1});
  const std::vector<ChunkRun> expected{{{0}, 1}, {{60}, 200}, {{kChunkLimit - 1}, 1}};
  EXPECT_EQ(runs_of(*bitmap), expected);
}

TEST(ChunkBitmapTest, AgreesWithASet) {
  std::mt19937_64 random(testing::seed());
  const auto bitmap = std::make_unique<ChunkBitmap>();
  std::set<std::uint32_t> model;
  for (int round = 0; round < 200; ++round) {
    // Dense around a few places, so that runs form and break.
    const auto base = static_cast<std::uint32_t>(random() % (kChunkLimit - 300));
    for (int i = 0; i < 300; ++i) {
      const std::uint32_t chunk = base + static_cast<std::uint32_t>(random() % 300);
      if (random() % 3 == 0) {
        bitmap->erase({chunk});
        model.erase(chunk);
      } else {
        bitmap->set({chunk});
        model.insert(chunk);
      }
      ASSERT_EQ(bitmap->test({chunk}), model.contains(chunk));
    }
    ASSERT_EQ(runs_of(*bitmap), runs_of(model)) << "round " << round;
  }
  bitmap->reset();
  EXPECT_TRUE(runs_of(*bitmap).empty());
}

TEST(ChunkBitmapTest, AWalkStopsWhenTold) {
  const auto bitmap = std::make_unique<ChunkBitmap>();
  for (const std::uint32_t chunk : {1u, 5u, 9u}) bitmap->set({chunk});
  int visits = 0;
  bitmap->for_each_run([&](ChunkRun) { return ++visits < 2; });
  EXPECT_EQ(visits, 2);
}

TEST(ChunkBitmapTest, WhatIsSetIsSeenByEveryLaterWalk) {
  const auto bitmap = std::make_unique<ChunkBitmap>();
  std::atomic<std::uint32_t> set_so_far{0};
  std::thread setter([&] {
    for (std::uint32_t i = 0; i < 20000; ++i) {
      bitmap->set({i * 13});
      set_so_far.store(i + 1);
    }
  });
  for (std::uint32_t promised = 0; promised < 20000;) {
    promised = set_so_far.load();
    std::uint32_t seen = 0;
    bitmap->for_each_run([&](ChunkRun run) { return seen += run.count, true; });
    ASSERT_GE(seen, promised);
  }
  setter.join();
}

}  // namespace
}  // namespace revenant::vm
