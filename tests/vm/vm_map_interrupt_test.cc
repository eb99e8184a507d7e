// Reads in signal handlers, whatever they interrupt.
//
// A timer interrupts where chance has it. The processor's single-step flag interrupts everywhere:
// after each instruction of an insert, an update, a widening, a split or an erase, the handler
// looks up pages, on the very thread that is in the middle of writing. Each must be as it was
// before the operation or as it is after it, once new never old again, and no look may wait.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <ctime>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/vm_map_pages.h"
#include "vm/vm_map.h"

namespace revenant::vm {
namespace {

using testing::colliding_page;
using testing::PageNumber;
using testing::stamped;

using Found = std::optional<PageEntry>;

// What the handler reads and writes; the handler runs on the thread that the test runs on.
struct Watch {
  const VmMap* map = nullptr;
  std::span<const PageNumber> pages;   // none of them changes, but for `changing`
  std::span<const PageEntry> entries;  // what they hold
  PageNumber changing;
  Found before;
  Found after;
  bool seen_after = false;
  std::uint64_t next = 0;
  std::uint64_t looks = 0;
  std::uint64_t wrong = 0;
};
Watch watch;

void look(int) {
  const Found found = watch.map->find(watch.changing);
  if (found == watch.after) {
    watch.seen_after = true;
  } else if (watch.seen_after || found != watch.before) {
    ++watch.wrong;
  }
  const std::uint64_t other = watch.next++ % watch.pages.size();
  if (watch.map->find(watch.pages[other]) != watch.entries[other]) ++watch.wrong;
  ++watch.looks;
}

void install(int signal) {
  struct sigaction action = {};
  action.sa_handler = look;
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(sigaction(signal, &action, nullptr), 0);
}

class VmMapInterruptTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(map_.open().ok()); }
  void TearDown() override {
    signal(SIGTRAP, SIG_DFL);
    map_.check_invariants();
  }

  void keep(PageNumber page) {
    const PageEntry entry = stamped(page, 1);
    if (!map_.insert(page, entry)) return;
    pages_.push_back(page);
    entries_.push_back(entry);
  }

  void start_watching(PageNumber page, Found after) {
    watch = {.map = &map_, .pages = pages_, .entries = entries_, .changing = page};
    watch.before = map_.find(page);
    watch.after = after;
    watch.seen_after = watch.before == after;
  }

  VmMap map_;
  std::vector<PageNumber> pages_;
  std::vector<PageEntry> entries_;
};

// ThreadSanitizer's own atomics take locks: a handler that interrupts one of them, in the middle of
// its library, waits for itself. It would find nothing here, where there is one thread.
#ifndef __SANITIZE_THREAD__

// Runs `operation` with the trap flag set: the handler runs after each of its instructions.
template <class Operation>
__attribute__((noinline)) void step_through(Operation operation) {
  asm volatile(
      "lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
          : "memory", "cc");
  operation();
  asm volatile(
      "lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::
          : "memory", "cc");
}

class VmMapStepTest : public VmMapInterruptTest {
 protected:
  void SetUp() override {
    VmMapInterruptTest::SetUp();
    install(SIGTRAP);
  }

  template <class Operation>
  void step(PageNumber page, Found after, Operation operation) {
    start_watching(page, after);
    step_through(operation);
    EXPECT_EQ(watch.wrong, 0u);
    EXPECT_GT(watch.looks, 50u);
    EXPECT_EQ(map_.find(page), after);
  }
  void step_insert(PageNumber page) {
    const PageEntry entry = stamped(page, 2);
    step(page, entry, [&] { map_.insert(page, entry); });
    pages_.push_back(page);
    entries_.push_back(entry);
  }
};

TEST_F(VmMapStepTest, AnInsertedPageAppearsAtOneInstant) {
  // One block through all its shapes; then blocks before, between and behind others of its bucket.
  for (std::uint64_t i = 0; i < 20; ++i) {
    if (i == 0) keep(colliding_page(1600));
    step_insert(colliding_page(768 + (i * 5) % internal::kBlockPages));
  }
  step_insert(colliding_page(400));
  step_insert(colliding_page(1200));
  step_insert(colliding_page(2000));
}

TEST_F(VmMapStepTest, ABlockOfTheSpaceFillsAndEmptiesAPageAtATime) {
  const auto page = [](std::uint64_t number) {
    return kSpaceRun.first + base::PageCount{internal::kBlockPages + number};
  };
  keep(colliding_page(0));
  for (std::uint64_t i = 0; i < 20; ++i) step_insert(page(i * 3));
  EXPECT_EQ(map_.statistics().full_blocks, 1u);
  for (std::uint64_t i = 0; i < 20; ++i) {
    pages_.erase(pages_.begin() + 1);
    entries_.erase(entries_.begin() + 1);
    step(page(i * 3), std::nullopt, [&] { map_.erase(page(i * 3)); });
  }
  EXPECT_EQ(map_.statistics().blocks, 0u);
}

TEST_F(VmMapStepTest, AnUpdatedPageChangesAtOneInstant) {
  for (std::uint64_t i = 0; i < 40; ++i) keep(colliding_page(i * 5));
  for (const std::uint64_t number : {0, 50, 100, 195}) {
    const PageNumber page = colliding_page(number);
    const PageEntry changed = stamped(page, 77);
    std::erase(entries_, stamped(page, 1));
    std::erase(pages_, page);
    step(page, changed, [&] { map_.update(page, [&](PageEntry& entry) { entry = changed; }); });
  }
}

TEST_F(VmMapStepTest, AnErasedPageVanishesAtOneInstant) {
  for (std::uint64_t i = 0; i < 60; ++i) keep(colliding_page(i * 16));
  for (std::uint64_t i = 0; i < 20; ++i) keep(colliding_page(320 + i));
  for (const std::uint64_t number : {0, 944, 480, 321, 320}) {
    const PageNumber page = colliding_page(number);
    std::erase(entries_, stamped(page, 1));
    std::erase(pages_, page);
    step(page, std::nullopt, [&] { map_.erase(page); });
  }
}

TEST_F(VmMapStepTest, ALonePageThatIsGivenANeighbourIsNeverHidden) {
  for (std::uint64_t i = 0; i < 4; ++i) keep(colliding_page(i * internal::kBlockPages));
  const PageEntry neighbour = stamped(colliding_page(1), 2);
  for (std::uint64_t i = 0; i < 4; ++i) {
    // The page that stays is looked at while the other comes.
    const PageNumber lone = colliding_page(i * internal::kBlockPages);
    step(lone, map_.find(lone), [&] { map_.insert(lone + base::PageCount{1}, neighbour); });
  }
  EXPECT_EQ(map_.statistics().lone_entries, 0u);
}

TEST_F(VmMapStepTest, ASplitHidesNothing) {
  // So many that each further one splits a bucket: the handler goes round all pages.
  std::mt19937_64 random(::revenant::testing::seed());
  const auto any_page = [&] { return PageNumber{random() >> 28}; };
  for (int i = 0; i < 9000; ++i) keep(any_page());
  const std::uint64_t buckets = map_.statistics().lone_buckets;
  for (int i = 0; i < 100; ++i) step_insert(any_page());
  EXPECT_GE(map_.statistics().lone_buckets, buckets + 40);
}

TEST_F(VmMapStepTest, ASplitOfBlocksHidesNothing) {
  std::mt19937_64 random(::revenant::testing::seed());
  const auto any_block = [&] { return PageNumber{random() >> 28 & ~std::uint64_t{1}}; };
  for (int i = 0; i < 1540; ++i) {
    const PageNumber page = any_block();
    keep(page);
    keep(page + base::PageCount{1});
  }
  const std::uint64_t buckets = map_.statistics().buckets;
  for (int i = 0; i < 40; ++i) {
    const PageNumber page = any_block();
    step_insert(page);
    step_insert(page + base::PageCount{1});
  }
  EXPECT_GE(map_.statistics().buckets, buckets + 60);
}

#endif  // __SANITIZE_THREAD__

TEST_F(VmMapInterruptTest, ATimersHandlerReadsWhileTheTableGrows) {
  std::mt19937_64 random(::revenant::testing::seed());
  for (int i = 0; i < 1000; ++i) keep({random() >> 28});
  const PageNumber never{~0ull >> 12};
  start_watching(never, std::nullopt);
  install(SIGALRM);
  timer_t timer;
  ASSERT_EQ(timer_create(CLOCK_MONOTONIC, nullptr, &timer), 0);
  constexpr itimerspec kEvery50Us = {{0, 50'000}, {0, 50'000}};
  ASSERT_EQ(timer_settime(timer, 0, &kEvery50Us, nullptr), 0);
  // Until the handler has run often, not until a time has passed.
  volatile std::uint64_t* looks = &watch.looks;
  for (std::uint64_t i = 0; *looks < 500; ++i) {
    const PageNumber page{random() >> 28};
    map_.insert(page, stamped(page, 3));
    if (i % 3 == 0) map_.erase(page);
  }
  timer_delete(timer);
  signal(SIGALRM, SIG_IGN);
  EXPECT_EQ(watch.wrong, 0u);
}

}  // namespace
}  // namespace revenant::vm
