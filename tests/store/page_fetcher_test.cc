// Fetches while the owner commits and reclaims.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "store/store.h"
#include "tests/store/page_model.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

constexpr std::uint64_t kFirst = 0x560000000ull;
constexpr std::uint64_t kPages = 64;
constexpr int kEpochs = 60;

// In every epoch all pages carry the epoch's number: a fetch of a run must see one epoch only, and
// a thread never an older one than before.
void fetch_until(Store& store, const std::atomic<bool>& done, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Frame> frames(4);
  std::vector<Fetched> fetched(frames.size());
  std::uint64_t newest = 0;
  while (!done.load(std::memory_order_relaxed)) {
    const base::PageNumber first{kFirst + random() % (kPages - frames.size())};
    store.fetch_run({first, {frames.size()}}, base::kNoEpoch, frames[0].data(), fetched.data());
    std::uint64_t stamp = newest;
    while (stamp <= kEpochs && frames[0] != frame_of(stamp)) ++stamp;
    ASSERT_LE(stamp, kEpochs) << "an older image, or none";
    for (std::size_t i = 0; i < frames.size(); ++i) {
      ASSERT_EQ(fetched[i].outcome, FetchOutcome::kImage);
      ASSERT_EQ(fetched[i].hash, hash_page(frames[i].data()));
      ASSERT_EQ(frames[i], frames[0]) << "two epochs in one fetch";
    }
    newest = stamp;
  }
}

void commit_epoch(Store& store) {
  EpochWriter& writer = store.begin_epoch();
  const Frame frame = frame_of(writer.epoch().value);
  const ContentHash hash = hash_page(frame.data());
  for (std::uint64_t page = 0; page < kPages; ++page) {
    ASSERT_TRUE(writer.put({kFirst + page}, frame.data(), hash).ok());
  }
  ASSERT_TRUE(writer.commit({}).ok());
}

TEST(PageFetcher, SeesOneWholeEpochBesideCommitsAndReclaiming) {
  const testing::TemporaryDirectory directory;
  auto store = Store::open(small_options(directory / "store"));
  ASSERT_TRUE(store.ok());
  commit_epoch(**store);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (std::uint64_t i = 0; i < 3; ++i) {
    readers.emplace_back([&, i] { fetch_until(**store, done, testing::seed() + i); });
  }
  const Policy policy{.last = 3, .least = 2, .batch = 2};
  for (int epoch = 1; epoch < kEpochs; ++epoch) {
    commit_epoch(**store);
    ASSERT_TRUE((*store)->reclaim_some(policy, 500).ok());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(findings((*store)->history()), "");
}

// Its commit has erased the parked image by then, and its number is not let go yet.
TEST(PageFetcher, FindsAParkedImageWhoseContentTheEpochPutsItself) {
  const testing::TemporaryDirectory directory;
  auto store = Store::open(small_options(directory / "store"));
  ASSERT_TRUE(store.ok());
  const Frame frame = frame_of(7);
  const ContentHash hash = hash_page(frame.data());
  const auto number = (*store)->park({kFirst}, frame.data(), hash);
  ASSERT_TRUE(number.ok());
  ASSERT_TRUE((*store)->finish_parking().ok());
  EpochWriter& writer = (*store)->begin_epoch();
  ASSERT_TRUE(writer.put({kFirst}, frame.data(), hash).ok());
  ASSERT_TRUE(writer.commit({}).ok());
  Frame fetched;
  EXPECT_EQ((*store)->fetch_parked({kFirst}, *number, hash, fetched.data()), FetchOutcome::kImage);
  EXPECT_EQ(fetched, frame);
}

TEST(PageFetcher, KnowsNothingBeforeTheFirstSnapshot) {
  const testing::TemporaryDirectory directory;
  auto store = Store::open(small_options(directory / "store"));
  ASSERT_TRUE(store.ok());
  Frame frame;
  EXPECT_EQ((*store)->fetch({kFirst}, base::kNoEpoch, frame.data()), FetchOutcome::kAbsent);
  EXPECT_FALSE((*store)->find_reference({kFirst}).value());
}

}  // namespace
}  // namespace revenant::store
