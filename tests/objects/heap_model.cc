#include "tests/objects/heap_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/objects/plain_space.h"

namespace revenant::objects {
namespace {

constexpr std::size_t kDenseBytes = 256;

std::byte pattern_byte(std::uint64_t pattern, std::size_t offset) {
  return static_cast<std::byte>((pattern ^ (offset * 0x9E3779B97F4A7C15u)) >> 56);
}

// The offsets that fill writes and is_filled reads.
template <class F>
void for_each_offset(std::size_t bytes, F visit) {
  const std::size_t head = std::min(bytes, kDenseBytes);
  for (std::size_t offset = 0; offset < head; ++offset) visit(offset);
  for (std::size_t offset = head; offset < bytes; offset += 509) visit(offset);
  if (bytes > 0) visit(bytes - 1);
}

}  // namespace

void Handover::put(const LiveBlock& block) {
  base::LockGuard guard(lock_);
  blocks_.push_back(block);
}

bool Handover::take(LiveBlock& block) {
  base::LockGuard guard(lock_);
  if (blocks_.empty()) return false;
  block = blocks_.back();
  blocks_.pop_back();
  return true;
}

void fill(const LiveBlock& block) {
  for_each_offset(block.bytes, [&](std::size_t offset) {
    block.begin[offset] = pattern_byte(block.pattern, offset);
  });
}

bool is_filled(const LiveBlock& block, std::size_t bytes) {
  bool same = true;
  // What fill wrote of the whole block and lies in its first `bytes`.
  for_each_offset(block.bytes, [&](std::size_t offset) {
    same = same && (offset >= bytes || block.begin[offset] == pattern_byte(block.pattern, offset));
  });
  return same;
}

void ModelWorker::run(Heap& heap, int steps) {
  for (int step = 0; step < steps && !::testing::Test::HasFatalFailure(); ++step) {
    const unsigned dice = random_() % 100;
    const bool crowded = live_.size() > 4000 && dice < 60;
    if (crowded || (dice >= 60 && dice < 85)) {
      free_one(heap);
    } else if (dice < 40) {
      allocate(heap);
    } else if (dice < 45) {
      allocate_aligned(heap);
    } else if (dice < 50) {
      allocate_zeroed(heap);
    } else if (dice < 60) {
      reallocate(heap);
    } else if (dice < 95) {
      hand_over();
    } else {
      for (int i = 0; i < 4; ++i) free_foreign(heap);
    }
  }
}

std::size_t ModelWorker::random_size() {
  const unsigned dice = random_() % 1000;
  if (dice < 700) return random_() % 257;
  if (dice < 950) return random_() % 8300;
  if (dice < 998) return random_() % 100'000;
  return random_() % 2'000'000;
}

void ModelWorker::adopt(void* block, std::size_t bytes) {
  ASSERT_NE(block, nullptr);
  ASSERT_GE(Heap::instance()->usable_size(block), bytes);
  LiveBlock made{static_cast<std::byte*>(block), bytes, random_(), kUnknownType};
  if (random_() % 16 == 0) {
    made.type = static_cast<TypeId>(random_() % 1000);
    Heap::instance()->set_type(block, made.type);
  }
  fill(made);
  live_.push_back(made);
}

void ModelWorker::allocate(Heap& heap) {
  const std::size_t bytes = random_size();
  adopt(heap.allocate(bytes), bytes);
}

void ModelWorker::allocate_aligned(Heap& heap) {
  const std::size_t bytes = random_size();
  const std::size_t alignment = std::size_t{1} << (random_() % 18);
  void* block = heap.allocate_aligned(bytes, alignment);
  ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0u);
  adopt(block, bytes);
}

void ModelWorker::allocate_zeroed(Heap& heap) {
  const std::size_t bytes = random_size();
  void* block = heap.allocate_zeroed(bytes);
  ASSERT_TRUE(all_are(block, bytes, std::byte{0}));
  adopt(block, bytes);
}

LiveBlock ModelWorker::take_random() {
  std::swap(live_[random_() % live_.size()], live_.back());
  const LiveBlock taken = live_.back();
  live_.pop_back();
  return taken;
}

void ModelWorker::reallocate(Heap& heap) {
  if (live_.empty()) return;
  LiveBlock block = take_random();
  ASSERT_TRUE(is_filled(block, block.bytes));
  const std::size_t bytes = random_() % 2 == 0 ? random_size() + 1 : block.bytes * 2 + 1;
  auto* moved = static_cast<std::byte*>(heap.reallocate(block.begin, bytes));
  ASSERT_NE(moved, nullptr);
  block.begin = moved;
  ASSERT_TRUE(is_filled(block, std::min(bytes, block.bytes)));
  block.bytes = bytes;
  fill(block);
  live_.push_back(block);
}

void ModelWorker::free_one(Heap& heap) {
  if (live_.empty()) return;
  const LiveBlock block = take_random();
  ASSERT_TRUE(is_filled(block, block.bytes));
  heap.free(block.begin);
}

void ModelWorker::hand_over() {
  if (!live_.empty()) handover_.put(take_random());
}

void ModelWorker::free_foreign(Heap& heap) {
  LiveBlock block{};
  if (!handover_.take(block)) return;
  ASSERT_TRUE(is_filled(block, block.bytes));
  heap.free(block.begin);
}

void expect_same_blocks(const Heap& heap, const std::vector<const LiveBlock*>& expected,
                        std::mt19937_64& random) {
  std::map<std::byte*, Block> listed;
  heap.view().for_each_block([&listed](const Block& block) {
    ASSERT_TRUE(listed.empty() ||
                listed.rbegin()->first + listed.rbegin()->second.size <= block.begin);
    listed.emplace_hint(listed.end(), block.begin, block);
  });
  ASSERT_EQ(listed.size(), expected.size());
  for (const LiveBlock* block : expected) {
    const auto found = listed.find(block->begin);
    ASSERT_NE(found, listed.end());
    ASSERT_GE(found->second.size, block->bytes);
    ASSERT_EQ(found->second.type, block->type);
    ASSERT_EQ(heap.view().resolve(block->begin + random() % found->second.size), found->second);
    ASSERT_TRUE(is_filled(*block, block->bytes));
  }
}

}  // namespace revenant::objects
