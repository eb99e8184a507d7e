// malloc's family as a program calls it: this test program is linked as programs are.
#include <gtest/gtest.h>
#include <malloc.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "objects/allocation_domain.h"
#include "objects/heap.h"
#include "tests/objects/plain_space.h"

namespace revenant::objects {
namespace {

// Persistent until its end; assertions are made after that.
class Persistent {
 public:
  Persistent() { set_allocation_domain(AllocationDomain::kPersistent); }
  ~Persistent() { set_allocation_domain(AllocationDomain::kVolatile); }
};

template <class F>
auto persistently(F call) {
  const Persistent scope;
  return call();
}

// Hides values that compilers warn about.
std::size_t opaque(std::size_t bytes) {
  volatile std::size_t hidden = bytes;
  return hidden;
}

void* hidden(void* pointer) {
  void* volatile kept = pointer;
  return kept;
}

class MallocWrap : public ::testing::Test {
 protected:
  MallocWrap() { heap_.bind_worker(0); }
  ~MallocWrap() override { Heap::unbind_worker(); }

  PlainSpace space_;
  FakePages pages_;
  Heap heap_{space_.world(), pages_, 1};
};

TEST_F(MallocWrap, WhoAllocatesDecidesWhere) {
  void* volatile_block = malloc(48);
  void* persistent_block = persistently([] { return malloc(48); });
  EXPECT_FALSE(in_space(volatile_block));
  EXPECT_TRUE(in_heap(persistent_block));
  free(persistent_block);
  persistently([volatile_block] {
    free(volatile_block);
    return 0;
  });
}

TEST_F(MallocWrap, EveryMemberOfTheFamilyIsRedirected) {
  void* blocks[9] = {};
  persistently([&blocks] {
    blocks[0] = malloc(10);
    blocks[1] = calloc(3, 7);
    blocks[2] = realloc(nullptr, 30);
    blocks[3] = reallocarray(nullptr, 4, 10);
    blocks[4] = memalign(64, 10);
    blocks[5] = aligned_alloc(128, 256);
    if (posix_memalign(&blocks[6], 4096, 1) != 0) blocks[6] = nullptr;
    blocks[7] = valloc(5);
    blocks[8] = pvalloc(5);
    return 0;
  });
  for (void* block : blocks) {
    EXPECT_TRUE(in_heap(block));
    EXPECT_GE(malloc_usable_size(block), 5u);
  }
  EXPECT_TRUE(all_are(blocks[1], 21, std::byte{0}));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks[7]) % 4096, 0u);
  EXPECT_EQ(malloc_usable_size(blocks[8]), 4096u);
  for (void* block : blocks) free(block);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Where libc is an archive: sanitized programs have its shared library, whose calls stay its own.
TEST_F(MallocWrap, LibcsOwnCallsAreRedirected) {
  char* copy = persistently([] { return strdup("kept"); });
  EXPECT_TRUE(in_heap(copy));
  EXPECT_STREQ(copy, "kept");
  free(copy);
}
#endif

TEST_F(MallocWrap, ABlockStaysOfItsKindWhenItGrows) {
  auto* persistent_block = static_cast<char*>(persistently([] { return malloc(10); }));
  std::memcpy(persistent_block, "123456789", 10);
  persistent_block = static_cast<char*>(realloc(persistent_block, 100'000));
  EXPECT_TRUE(in_heap(persistent_block));
  EXPECT_STREQ(persistent_block, "123456789");
  void* volatile_block = malloc(10);
  volatile_block = persistently([volatile_block] { return realloc(volatile_block, 100'000); });
  EXPECT_FALSE(in_space(volatile_block));
  free(volatile_block);
  EXPECT_EQ(realloc(persistent_block, 0), nullptr);
}

TEST_F(MallocWrap, SizesThatCannotBeAreRefusedAsByGlibc) {
  const Persistent scope;
  const std::size_t huge = opaque(SIZE_MAX);
  void* pointer = nullptr;
  errno = 0;
  const bool refused = malloc(huge) == nullptr && errno == ENOMEM;
  const bool product = calloc(huge / 2, opaque(4)) == nullptr;
  const bool array = reallocarray(nullptr, huge / 2, opaque(4)) == nullptr;
  const bool page = pvalloc(huge) == nullptr;
  const int odd = posix_memalign(&pointer, 24, 8);
  const int large = posix_memalign(&pointer, 64, huge);
  set_allocation_domain(AllocationDomain::kVolatile);
  EXPECT_TRUE(refused && product && array && page);
  EXPECT_EQ(odd, EINVAL);
  EXPECT_EQ(large, ENOMEM);
}

struct alignas(256) Wide {
  char bytes[256];
};

TEST_F(MallocWrap, OperatorsGoTheSameWay) {
  // The unwinder keeps what it allocates at its first use, for longer than this test's heap lives.
  EXPECT_THROW(throw 0, int);
  auto* text = persistently([] { return new std::string(100, 'x'); });
  EXPECT_TRUE(in_heap(text));
  EXPECT_TRUE(in_heap(text->data()));
  delete text;
  auto* wide = persistently([] { return new Wide[3]; });
  EXPECT_TRUE(in_heap(wide));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide) % 256, 0u);
  delete[] wide;
  bool thrown = false;
  persistently([&thrown] {
    try {
      ::operator delete(::operator new(opaque(SIZE_MAX / 2)));
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    return 0;
  });
  EXPECT_TRUE(thrown);
}

TEST_F(MallocWrap, ThreadsStartVolatile) {
  persistently([] {
    AllocationDomain seen = AllocationDomain::kPersistent;
    const Persistent scope;
    set_allocation_domain(AllocationDomain::kVolatile);
    std::thread([&seen] { seen = allocation_domain(); }).join();
    EXPECT_EQ(seen, AllocationDomain::kVolatile);
    return 0;
  });
}

using MallocWrapDeathTest = MallocWrap;

TEST_F(MallocWrapDeathTest, WhatIsNoBlockIsNamed) {
  auto* block = static_cast<char*>(persistently([] { return malloc(100); }));
  EXPECT_DEATH(free(hidden(&space_.world())), "this is a stack, or the runtime's own");
  EXPECT_DEATH(free(hidden(block + 16)), "16 bytes inside the block of 112 bytes");
  EXPECT_DEATH(block = static_cast<char*>(realloc(hidden(block + 1), 5)),
               "realloc.*1 bytes inside");
}

}  // namespace
}  // namespace revenant::objects
