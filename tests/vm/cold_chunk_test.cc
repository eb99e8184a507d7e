// Cold chunks: not scanned, and never the place where a write is lost.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"
#include "tests/vm/space_mappings.h"

namespace revenant::vm {
namespace {

base::PageNumber first_of_chunk(std::uint64_t chunk) {
  return page_at(kHeapRun, chunk * base::kPagesPerChunk);
}

class ColdChunkTest : public MemoryTest {
 protected:
  // Lets enough harvests pass that whatever is clean may be cooled.
  void let_time_pass(std::span<const base::PageRun> excluded = {}) {
    for (std::uint32_t i = 0; i <= AsyncTracker::kCoolAfter; ++i) harvest(excluded);
  }
  [[nodiscard]] bool is_cold(base::PageNumber page) {
    return dynamic_cast<AsyncTracker&>(memory->tracker()).is_cold(page);
  }
  std::size_t cool(std::size_t max_chunks) { return memory->tracker().cool(max_chunks).value(); }
};

TEST_F(ColdChunkTest, OnlyWhatStayedCleanIsCooled) {
  write_word(first_of_chunk(0), 1);
  write_word(first_of_chunk(5), 1);
  EXPECT_EQ(cool(100), 0u);
  let_time_pass();
  write_word(first_of_chunk(5), 2);
  harvest();
  EXPECT_EQ(cool(100), 1u);
  EXPECT_TRUE(is_cold(first_of_chunk(0)));
  EXPECT_FALSE(is_cold(first_of_chunk(5)));
}

TEST_F(ColdChunkTest, AChunkWithHotPagesStaysWarm) {
  write_word(first_of_chunk(0), 1);
  const base::PageRun hot{first_of_chunk(0), {1}};
  let_time_pass({&hot, 1});
  EXPECT_EQ(cool(100), 0u);
}

TEST_F(ColdChunkTest, TheFirstWriteAnnouncesItself) {
  const base::PageNumber page = page_at(kHeapRun, 77);
  write_word(page, 1);
  let_time_pass();
  ASSERT_EQ(cool(100), 1u);
  EXPECT_EQ(read_word(page), 1u);
  EXPECT_EQ(memory->statistics().refused_writes, 0u);
  write_word(page, 2);
  EXPECT_EQ(memory->statistics().refused_writes, 1u);
  ASSERT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.runs()[0], (base::PageRun{page, {1}}));
}

TEST_F(ColdChunkTest, AWriteBetweenTheLastHarvestAndTheCoolingIsReported) {
  const base::PageNumber page = page_at(kHeapRun, 77);
  write_word(page, 1);
  let_time_pass();
  write_word(page, 2);
  ASSERT_EQ(cool(100), 1u);
  ASSERT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.runs()[0], (base::PageRun{page, {1}}));
  EXPECT_TRUE(is_cold(page));
  EXPECT_TRUE(harvest().empty());
}

TEST_F(ColdChunkTest, MissingPagesOfAColdChunkAreReadAndWritten) {
  heap_rule.rule = [](base::PageNumber page) {
    return page.value % 2 == 0 ? Ticket::stored() : Ticket::zero_fill();
  };
  source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
  EXPECT_EQ(read_word(page_at(kHeapRun, 0)), stamp(page_at(kHeapRun, 0), 0));
  let_time_pass();
  ASSERT_EQ(cool(100), 1u);
  EXPECT_EQ(read_word(page_at(kHeapRun, 100)), stamp(page_at(kHeapRun, 100), 0));
  EXPECT_EQ(read_word(page_at(kHeapRun, 101)), 0u);
  EXPECT_TRUE(is_cold(kHeapRun.first)) << "reading warms nothing";
  EXPECT_TRUE(harvest().empty());
  write_word(page_at(kHeapRun, 200), 9);
  write_word(page_at(kHeapRun, 301), 9);
  EXPECT_FALSE(is_cold(kHeapRun.first));
  EXPECT_EQ(read_word(page_at(kHeapRun, 200), 1), stamp(page_at(kHeapRun, 200), 1));
  EXPECT_EQ(read_word(page_at(kHeapRun, 301), 1), 0u);
  EXPECT_EQ(harvest().size(), 2u);
}

TEST_F(ColdChunkTest, ReleasingWorksInColdChunks) {
  write_word(kHeapRun.first, 1);
  let_time_pass();
  ASSERT_EQ(cool(100), 1u);
  memory->release({kHeapRun.first, {1}});
  EXPECT_EQ(read_word(kHeapRun.first), 0u);
  write_word(kHeapRun.first, 2);
  harvest();
  EXPECT_TRUE(found.runs().size() == 1 && found.runs()[0].contains(kHeapRun.first));
}

TEST_F(ColdChunkTest, CoolingKeepsToItsBounds) {
  for (std::uint64_t chunk = 0; chunk < 300; ++chunk) write_word(first_of_chunk(chunk), 1);
  let_time_pass();
  EXPECT_EQ(cool(100), 100u);
  EXPECT_EQ(cool(1000), 200u);
  EXPECT_EQ(cool(1000), 0u);
  // What lies below the heap's first chunk, the cold ones, and all the rest.
  EXPECT_LE(space_mappings(), 3u) << "neighbours share a mapping";
}

TEST_F(ColdChunkTest, ScatteredChunksNeverExhaustTheMappings) {
  // Every other chunk: each cold one is a mapping of its own, until no more are granted.
  constexpr std::uint64_t kScattered = ChunkTemperature::kMaxColdRuns + 500;
  for (std::uint64_t i = 0; i < kScattered; ++i) write_word(first_of_chunk(2 * i), i);
  let_time_pass();
  EXPECT_EQ(cool(kScattered), ChunkTemperature::kMaxColdRuns);
  EXPECT_LE(space_mappings(), 2 * ChunkTemperature::kMaxColdRuns + 1);
  std::mt19937_64 random(testing::seed());
  std::set<base::PageNumber> written;
  for (int i = 0; i < 1000; ++i) {
    const base::PageNumber page = first_of_chunk(2 * (random() % kScattered));
    write_word(page, 1 + random());
    written.insert(page);
  }
  harvest();
  std::set<base::PageNumber> reported;
  for (const base::PageRun& run : found.runs()) reported.insert(run.first);
  EXPECT_EQ(reported, written);
  EXPECT_EQ(found.pages().value, written.size());
}

}  // namespace
}  // namespace revenant::vm
