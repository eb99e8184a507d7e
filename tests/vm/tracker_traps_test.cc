// What the kernel does that a tracker might not expect, one test a trap, with each tracker.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "tests/vm/memory_test.h"
#include "vm/guarded_copy.h"
#include "vm/volatile_stack.h"

namespace revenant::vm {
namespace {

class TrackerTrapsTest : public TrackerTest {
 protected:
  // Has the kernel write to `page`; what it says.
  static int kernel_write(base::PageNumber page) {
    errno = 0;
    (void)::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page.pointer());
    return errno;
  }
  void read_stamped() {
    heap_rule.rule = [](base::PageNumber) { return Ticket::stored(); };
    source.outcome_of = [](base::PageNumber, base::Epoch) { return PageSource::Outcome::kImage; };
  }
};

REVENANT_FOR_EACH_TRACKER(TrackerTrapsTest);

// After MADV_DONTNEED the kernel calls a page written: saving it would save zeros.
TEST_P(TrackerTrapsTest, ADiscardedPageIsNotWritten) {
  const base::PageRun run{page_at(kHeapRun, 100), {64}};
  write_all(run);
  memory->release(run);
  for (const base::PageRun& written : harvest()) EXPECT_FALSE(written.overlaps(run));
  read_stamped();
  for (std::uint64_t i = 0; i < 64; ++i) {
    EXPECT_EQ(read_word(page_at(run, i), 9), stamp(page_at(run, i), 9)) << i;
  }
  EXPECT_TRUE(harvest().empty()) << "what was fetched since is clean";
}

// Others read a page while it is being filled.
TEST_P(TrackerTrapsTest, NobodySeesHalfAPage) {
  constexpr std::uint64_t kPages = 6000;
  read_stamped();
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<int> ready{0};
  const auto read = [&](bool backwards) {
    const AdoptedThread thread = std::move(memory->adopt_thread()).value();
    ready.fetch_add(1);
    while (ready.load() < 2) std::this_thread::yield();
    for (std::uint64_t i = 0; i < kPages; ++i) {
      // Both arrive at about the same page, from the ends of it.
      const base::PageNumber page = page_at(kHeapRun, i);
      const std::size_t first = backwards ? 511 : 0;
      const std::size_t second = backwards ? 0 : 511;
      if (read_word(page, first) != stamp(page, first)) wrong.fetch_add(1);
      if (read_word(page, second) != stamp(page, second)) wrong.fetch_add(1);
      next.fetch_add(1);
      while (next.load() < 2 * i) std::this_thread::yield();
    }
  };
  std::thread forwards(read, false);
  std::thread backwards(read, true);
  forwards.join();
  backwards.join();
  EXPECT_EQ(wrong, 0u);
}

// The kernel does not wait for a page of ours: it refuses, without a signal.
TEST_P(TrackerTrapsTest, ACallOnAMissingPageFailsAndLeavesNoTrace) {
  const base::PageNumber page = page_at(kHeapRun, 7);
  EXPECT_EQ(kernel_write(page), EFAULT);
  std::byte frame[base::kPageSize];
  EXPECT_FALSE(copy_if_present(page, frame));
  EXPECT_TRUE(harvest().empty());
}

TEST_P(TrackerTrapsTest, ACallOnACleanPageFailsOrIsSeen) {
  const base::PageNumber page = page_at(kHeapRun, 7);
  write_word(page, 1);
  harvest();
  const int error = kernel_write(page);
  EXPECT_EQ(harvest().empty(), error != 0) << "what the kernel wrote is reported";
  write_word(page, 2);
  EXPECT_EQ(kernel_write(page), 0) << "a page that was written is open to the kernel too";
}

// A page's second filler finds it there: no error, and no protection lost.
TEST_P(TrackerTrapsTest, FillingWhatIsThereChangesNothing) {
  const base::PageNumber page = page_at(kHeapRun, 7);
  write_word(page, 5);
  harvest();
  const std::vector<std::byte> zeros(base::kPageSize);
  for (const FillMode mode : {FillMode::kClean, FillMode::kDirty}) {
    const Filled filled = memory->tracker().fill({page, {1}}, zeros.data(), mode);
    EXPECT_EQ(filled.pages, 0u);
    EXPECT_EQ(filled.raced, 1u);
    EXPECT_FALSE(filled.refused);
  }
  EXPECT_EQ(read_word(page), 5u);
  harvest();  // may tell the page once more: its hash decides
  write_word(page, 6);
  ASSERT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.runs()[0].first, page);
}

// Of a fill that the kernel breaks off, what was filled counts as the whole would have.
TEST_P(TrackerTrapsTest, AFillThatIsBrokenOffLosesNoWrite) {
  const base::PageRun run{page_at(kHeapRun, 500), {4}};
  void* frames = ::mmap(nullptr, run.count.bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(frames, MAP_FAILED);
  auto* images = static_cast<std::byte*>(frames);
  std::memset(images, 3, 2 * base::kPageSize);
  ASSERT_EQ(::mprotect(images + 2 * base::kPageSize, 2 * base::kPageSize, PROT_NONE), 0);

  const Filled filled = memory->tracker().fill(run, images, FillMode::kDirty);
  EXPECT_TRUE(filled.refused);
  ASSERT_LE(filled.pages, 2u);
  harvest();
  EXPECT_EQ(found.pages().value, filled.pages);
  write_all(run);
  EXPECT_EQ(read_word(run.first, 1), filled.pages == 0 ? 0u : 0x0303030303030303u);
  harvest();
  EXPECT_TRUE(found.runs().size() == 1 && found.runs()[0].contains(run.first) &&
              found.runs()[0].end() >= run.end());
  ::munmap(frames, run.count.bytes());
}

// Pages that the kernel swapped out keep their content, and what was known of them. On hosts
// without swap they stay.
TEST_P(TrackerTrapsTest, PagesThatAreSwappedOutKeepTheirState) {
  const base::PageRun run{page_at(kHeapRun, 1024), {256}};
  write_all(run);
  harvest();
  const auto dirty = [&](std::uint64_t i) { return i % 3 == 0; };
  std::uint64_t written = 0;
  for (std::uint64_t i = 0; i < run.count.value; ++i) {
    if (!dirty(i)) continue;
    write_word(page_at(run, i), i + 2);
    ++written;
  }
  (void)::madvise(run.first.pointer(), run.count.bytes(), MADV_PAGEOUT);
  harvest();
  EXPECT_EQ(found.pages().value, written);
  (void)::madvise(run.first.pointer(), run.count.bytes(), MADV_PAGEOUT);
  for (std::uint64_t i = 0; i < run.count.value; ++i) {
    ASSERT_EQ(read_word(page_at(run, i)), dirty(i) ? i + 2 : 1) << i;
  }
  EXPECT_TRUE(harvest().empty()) << "reading is no writing";
  (void)::madvise(run.first.pointer(), run.count.bytes(), MADV_PAGEOUT);
  write_word(page_at(run, 100), 9);
  harvest();
  EXPECT_EQ(found.pages().value, 1u);
}

// A child of fork has the parent's addresses, and must not have its pages.
TEST_P(TrackerTrapsTest, AChildOfForkWritesToNoPageOfTheParents) {
  const base::PageRun run{page_at(kHeapRun, 30), {3}};
  write_all(run);
  harvest();
  write_word(run.first, 2);
  const pid_t child = ::fork();
  if (child == 0) {
    memory->set_fatal_fault({[](void*, const FaultReport&) noexcept { ::_exit(0); }, nullptr});
    for (std::uint64_t i = 0; i < 5; ++i) write_word(page_at(run, i), 77);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(read_word(run.first), 2u);
  EXPECT_EQ(read_word(page_at(run, 1)), 1u);
  EXPECT_EQ(read_word(page_at(run, 4)), 0u);
  harvest();
  EXPECT_EQ(found.pages().value, 1u);
}

// A thread that wrote and one that harvests agree on every page, while runs are given back.
TEST_P(TrackerTrapsTest, ReleasingBesideWritersLosesNoOtherPage) {
  const base::PageRun run{page_at(kHeapRun, 512), {2048}};
  std::atomic<bool> done{false};
  std::thread releaser([&, seed = testing::seed()] {
    std::mt19937_64 random(seed);
    while (!done.load(std::memory_order_relaxed)) {
      memory->release({page_at(run, 1 + 2 * (random() % 1000)), {1}});
    }
  });
  std::mt19937_64 random(testing::seed() + 1);
  std::vector<std::uint64_t> expected(1024);
  std::vector<std::uint64_t> copied(1024);
  const auto copy_found = [&] {
    for (const base::PageRun& dirty : harvest()) {
      for (base::PageNumber page = dirty.first; page < dirty.end(); ++page) {
        const std::uint64_t index = (page - run.first).value;
        if (index % 2 == 0) copied.at(index / 2) = read_word(page);
      }
    }
  };
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t index = random() % 1000;
      expected[index] = random();
      write_word(page_at(run, 2 * index), expected[index]);
    }
    copy_found();
  }
  done = true;
  releaser.join();
  EXPECT_EQ(copied, expected);
}

// A thread's own stack may lie in the space, and its next push be refused: not while it holds what
// the handler needs.
TEST_P(TrackerTrapsTest, ReleasingFromAStackOfTheSpaceEndsBesideHarvests) {
  static constexpr base::PageRun kStack{page_at(kHeapRun, 4096), {16}};
  struct Releaser {
    MemoryManager& memory;
    std::atomic<bool> done{false};
    static void run(void* argument) {
      auto& self = *static_cast<Releaser*>(argument);
      for (std::uint64_t i = 0; i < 20000; ++i) {
        self.memory.release({page_at(kHeapRun, 10 + i % 50), {1}});
      }
      self.done = true;
    }
  } releaser{*memory};
  std::thread thread([&] {
    const AdoptedThread adopted_thread = std::move(memory->adopt_thread()).value();
    revenant_vm_call_on_stack(kStack.end().pointer(), Releaser::run, &releaser);
  });
  while (!releaser.done) harvest();
  thread.join();
  DirtyList released;
  ASSERT_TRUE(released.open().ok());
  memory->take_released(released);
  released.normalise();
  EXPECT_EQ(released.pages().value, 50u);
}

}  // namespace
}  // namespace revenant::vm
