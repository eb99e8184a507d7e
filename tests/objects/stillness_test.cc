// A heap that is held still beside threads that are no workers.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "objects/heap.h"
#include "objects/layout.h"
#include "tests/objects/plain_space.h"

namespace revenant::objects {
namespace {

// What describes the heap: the world and the shards, and the kinds, runs and slabs of the pages.
std::vector<std::byte> metadata() {
  constexpr std::size_t kWorldBytes = kRuntimeBlockAddress - kWorldAddress;
  constexpr std::size_t kPages = 8192;
  const auto& runs = PageMap::record(0);
  const auto& slabs = Slab::at(0);
  const auto& kinds = Slab::kind(0);
  std::vector<std::byte> all;
  const auto add = [&](const void* begin, std::size_t bytes) {
    const auto* first = static_cast<const std::byte*>(begin);
    all.insert(all.end(), first, first + bytes);
  };
  add(reinterpret_cast<const void*>(kWorldAddress), kWorldBytes);
  add(&runs, kPages * sizeof runs);
  add(&slabs, kPages / kPagesPerSlab * sizeof slabs);
  add(&kinds, kPages / kPagesPerSlab * sizeof kinds);
  return all;
}

TEST(HeapStillness, KeepsThreadsThatAreNoWorkersOut) {
  PlainSpace space;
  FakePages pages;
  Heap heap(space.world(), pages, 1);
  heap.bind_worker(0);
  constexpr std::size_t kBlocks = 2000;
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(heap.allocate(i % 2 == 0 ? 64 : 12'000 + i % 3 * 4096));
  }
  std::atomic<std::size_t> wanted{0};
  std::atomic<std::size_t> freed{0};
  std::thread other([&] {
    for (std::size_t i = 0; i < kBlocks; ++i) {
      while (i >= wanted.load()) std::this_thread::yield();
      heap.free(blocks[i]);
      freed.store(i + 1);
    }
  });
  for (std::size_t next = 20; next <= kBlocks; next += 20) {
    {
      const Heap::Stillness still(heap);
      const std::vector<std::byte> before = metadata();
      wanted.store(next);
      for (int i = 0; i < 10; ++i) std::this_thread::yield();
      EXPECT_EQ(before, metadata());
      EXPECT_LT(freed.load(), next);
    }
    while (freed.load() < next) std::this_thread::yield();
  }
  other.join();
  const base::Status status = heap.check_invariants();
  EXPECT_TRUE(status.ok()) << status.error().message;
  Heap::unbind_worker();
}

}  // namespace
}  // namespace revenant::objects
