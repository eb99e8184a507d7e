// The heap's edges: sizes, alignments, tickets, what is given back, and misuse.
#include "objects/heap.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "objects/misuse.h"
#include "tests/objects/plain_space.h"

namespace revenant::objects {
namespace {

class HeapTest : public ::testing::Test {
 protected:
  HeapTest() { heap_.bind_worker(0); }
  ~HeapTest() override { Heap::unbind_worker(); }

  void expect_well() {
    const base::Status status = heap_.check_invariants();
    EXPECT_TRUE(status.ok()) << status.error().message;
  }
  static vm::Ticket ticket(const void* address) {
    return HeapView::ticket_of(base::PageNumber::of(address));
  }
  void open_epoch(std::uint64_t epoch) { space_.world().set_open_epoch({epoch}); }

  PlainSpace space_;
  FakePages pages_;
  Heap heap_{space_.world(), pages_, 2};
};

constexpr vm::Ticket kFreed = vm::Ticket::forbidden(vm::ForbiddenReason::kFreed);

TEST(SizeClasses, EachSizeGetsTheSmallestClassThatHoldsIt) {
  for (std::size_t bytes = 0; bytes <= kMaxSlabBlock; ++bytes) {
    const std::size_t index = size_class(bytes);
    ASSERT_GE(kClassBytes[index], bytes);
    ASSERT_TRUE(index == 0 || kClassBytes[index - 1] < bytes);
  }
}

TEST(SizeClasses, ReciprocalsDivideExactly) {
  for (const ClassGeometry& geometry : kGeometry) {
    for (std::uint32_t offset = 0; offset < kSlabBytes; ++offset) {
      ASSERT_EQ(block_index(geometry, offset), offset / geometry.bytes);
    }
  }
}

TEST_F(HeapTest, ZeroBytesAreABlockOfTheirOwn) {
  void* first = heap_.allocate(0);
  void* second = heap_.allocate(0);
  EXPECT_NE(first, nullptr);
  EXPECT_NE(first, second);
  heap_.free(first);
  heap_.free(second);
  heap_.free(nullptr);
  expect_well();
}

TEST_F(HeapTest, WhatIsTooLargeIsRefusedWithErrno) {
  for (const std::size_t bytes : {kHeapEnd - kHeapBegin + 1, std::size_t{1} << 62, SIZE_MAX}) {
    errno = 0;
    EXPECT_EQ(heap_.allocate(bytes), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
  EXPECT_EQ(heap_.allocate_aligned(16, std::size_t{1} << 50), nullptr);
  void* block = heap_.allocate(100);
  EXPECT_EQ(heap_.reallocate(block, SIZE_MAX), nullptr);
  heap_.free(block);
  expect_well();
}

TEST_F(HeapTest, TicketsFollowAllocation) {
  open_epoch(5);
  auto* large = static_cast<std::byte*>(heap_.allocate(100 * base::kPageSize));
  void* small = heap_.allocate(48);
  EXPECT_EQ(ticket(large), vm::Ticket::stored({5}));
  EXPECT_EQ(ticket(large + 99 * base::kPageSize), vm::Ticket::stored({5}));
  EXPECT_EQ(ticket(small), vm::Ticket::stored({5}));
  EXPECT_EQ(ticket(PageMap::pointer_of(space_.world().heap.runs.top)),
            vm::Ticket::forbidden(vm::ForbiddenReason::kUnmapped));
  open_epoch(6);
  heap_.free(large);
  EXPECT_EQ(ticket(large), kFreed);
  EXPECT_EQ(ticket(large + 99 * base::kPageSize), kFreed);
  open_epoch(7);
  EXPECT_EQ(heap_.allocate(100 * base::kPageSize), large);
  EXPECT_EQ(ticket(large), vm::Ticket::stored({7}));
}

TEST_F(HeapTest, LargeRunsAreReleasedAtOnceAndSmallOnesInBatches) {
  void* large = heap_.allocate(64 * base::kPageSize);
  heap_.free(large);
  auto released = pages_.take_released();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0], (base::PageRun{base::PageNumber::of(large), {64}}));
  std::vector<void*> runs(800);
  for (void*& run : runs) run = heap_.allocate(3 * base::kPageSize);
  for (std::size_t i = 0; i < runs.size(); i += 2) heap_.free(runs[i]);
  std::uint64_t pages = 0;
  for (const base::PageRun& run : pages_.take_released()) pages += run.count.value;
  EXPECT_GT(pages, 0u);
  EXPECT_LE(heap_.view().figures().retained_pages, LargeRuns::kMaxRetainedPages);
  expect_well();
}

// A page copied into the store ahead of the stop, and released after that, has an image of the open
// epoch: its ticket cannot be trusted to make zeros of it, so the heap writes them.
TEST_F(HeapTest, ZeroedMemoryIsWrittenIfReleasedInTheSameEpoch) {
  constexpr std::size_t kBytes = 100 * base::kPageSize;
  pages_.set_mode(FakePages::OnRelease::kPoison);
  void* block = heap_.allocate(kBytes);
  heap_.free(block);
  void* again = heap_.allocate_zeroed(kBytes);
  EXPECT_EQ(again, block);
  EXPECT_TRUE(all_are(again, kBytes, std::byte{0}));
  heap_.free(again);
  open_epoch(2);
  // From the next epoch on, the page service's zeros are relied on: here it left poison.
  EXPECT_TRUE(all_are(heap_.allocate_zeroed(kBytes), kBytes, kPoison));
}

TEST_F(HeapTest, NeverWritesToReleasedPages) {
  std::vector<void*> blocks(300);
  for (void*& block : blocks) block = heap_.allocate(8192);
  for (void* block : blocks) std::memset(block, 1, 8192);
  for (void* block : blocks) heap_.free(block);
  heap_.release_free_pages();
  std::uint64_t pages = 0;
  for (const base::PageRun& run : pages_.take_released()) {
    EXPECT_TRUE(all_are(run.first.pointer(), run.count.bytes(), std::byte{0}));
    EXPECT_EQ(ticket(run.first.pointer()), kFreed);
    pages += run.count.value;
  }
  EXPECT_GE(pages, 600u);
}

TEST_F(HeapTest, EmptySlabsInReserveAreForbiddenAndComeBackInTheOpenEpoch) {
  std::array<void*, 64> blocks;
  for (void*& block : blocks) block = heap_.allocate(4096);
  void* lone = blocks[0];
  for (void* block : blocks) heap_.free(block);
  EXPECT_GT(heap_.view().figures().reserve_pages, 0u);
  EXPECT_EQ(ticket(lone), kFreed);
  open_epoch(9);
  for (void*& block : blocks) block = heap_.allocate(1024);
  EXPECT_EQ(ticket(blocks[63]), vm::Ticket::stored({9}));
  expect_well();
}

TEST_F(HeapTest, LargeBlocksGrowAndShrinkInPlace) {
  auto* block = static_cast<std::byte*>(heap_.allocate(20'000));
  std::memset(block, 7, 20'000);
  EXPECT_EQ(heap_.reallocate(block, 400'000), block);
  EXPECT_TRUE(all_are(block, 20'000, std::byte{7}));
  EXPECT_EQ(heap_.reallocate(block, 10'000), block);
  EXPECT_EQ(heap_.usable_size(block), 3 * base::kPageSize);
  expect_well();
}

TEST_F(HeapTest, TypesOfBlocksAreForgottenWhenTheyAreFreed) {
  void* small = heap_.allocate(48);
  void* large = heap_.allocate(9000);
  heap_.set_type(small, 11);
  heap_.set_type(large, 12);
  EXPECT_EQ(heap_.view().resolve(static_cast<std::byte*>(small) + 47)->type, 11u);
  EXPECT_EQ(heap_.view().resolve(static_cast<std::byte*>(large) + 8999)->type, 12u);
  heap_.free(small);
  EXPECT_FALSE(heap_.view().resolve(small));
  EXPECT_EQ(heap_.allocate(48), small);
  EXPECT_EQ(heap_.view().resolve(small)->type, kUnknownType);
}

TEST_F(HeapTest, BlocksFreedByOthersComeBackToTheirOwner) {
  std::vector<void*> blocks(std::size_t{1365} * 4);
  for (void*& block : blocks) block = heap_.allocate(48);
  const std::uint64_t top = space_.world().heap.runs.top;
  for (int round = 0; round < 5; ++round) {
    std::thread([&] {
      heap_.bind_worker(1);
      for (void* block : blocks) heap_.free(block);
      Heap::unbind_worker();
    }).join();
    for (void*& block : blocks) block = heap_.allocate(48);
  }
  EXPECT_LE(space_.world().heap.runs.top, top + 4 * kPagesPerSlab);
  expect_well();
}

class HeapMisuseDeathTest : public HeapTest {
 protected:
  std::byte* block_ = static_cast<std::byte*>(heap_.allocate(40));
  std::byte* large_ = static_cast<std::byte*>(heap_.allocate(100'000));
};

TEST_F(HeapMisuseDeathTest, DoubleFree) {
  heap_.free(block_);
  EXPECT_DEATH(heap_.free(block_), "free\\(0x56.*\\): this block of 48 bytes is free already");
  heap_.free(large_);
  EXPECT_DEATH(heap_.free(large_), "free\\(0x56.*\\): these pages are free already");
}

TEST_F(HeapMisuseDeathTest, DoubleFreeByAnother) {
  EXPECT_DEATH(
      {
        std::thread([this] { heap_.free(block_); }).join();
        heap_.free(block_);
      },
      "this block of 48 bytes is free already");
}

TEST_F(HeapMisuseDeathTest, InteriorFree) {
  EXPECT_DEATH(heap_.free(block_ + 8), "8 bytes inside the block of 48 bytes at 0x56");
  EXPECT_DEATH(heap_.free(large_ + 4096), "4096 bytes inside the block of 102400 bytes at 0x56");
  EXPECT_DEATH(heap_.reallocate(block_ + 16, 10), "realloc\\(.*16 bytes inside the block");
}

TEST_F(HeapMisuseDeathTest, ForeignFree) {
  EXPECT_DEATH(heap_.free(&space_.world()), "this is a stack, or the runtime's own");
  EXPECT_DEATH(heap_.free(PageMap::pointer_of(1'000'000)), "never gave out this memory");
}

TEST_F(HeapMisuseDeathTest, TheHandlerIsToldWhatAndWhere) {
  const auto handler = [](const MisuseReport& report) {
    std::fprintf(stderr, "told %d %s\n", static_cast<int>(report.kind), report.sentence);
    std::_Exit(7);
  };
  set_heap_misuse_handler(handler);
  heap_.free(block_);
  EXPECT_EXIT(heap_.free(block_), ::testing::ExitedWithCode(7), "told 0 free");
  set_heap_misuse_handler(nullptr);
}

}  // namespace
}  // namespace revenant::objects
