// The door: opening on this host and others, the low window, an unprivileged user.
#include "vm/memory_manager.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tests/vm/memory_test.h"

namespace revenant::vm {
namespace {

constexpr std::size_t kWordsPerPage = base::kPageSize / sizeof(std::uint64_t);

// What an executable's section of persistent globals is: some pages with values, most without.
alignas(base::kPageSize) std::uint64_t globals[40 * kWordsPerPage] = {1, 2, 3};

base::PageRun globals_run() {
  return {base::PageNumber::of(globals), base::PageCount::holding(sizeof globals)};
}

class MemoryManagerTest : public TrackerTest {
 protected:
  void SetUp() override {}
  void TearDown() override {
    if (memory != nullptr) MemoryTest::TearDown();
  }
  std::string why_not(const MemoryOptions& options) {
    MemoryOptions with_tracker = options;
    with_tracker.tracker = tracker();
    const base::Status opened = std::make_unique<MemoryManager>()->open(with_tracker, source);
    return opened.ok() ? "" : opened.error().message;
  }
};

REVENANT_FOR_EACH_TRACKER(MemoryManagerTest);

TEST_P(MemoryManagerTest, TheLowWindowKeepsItsFirstValuesAndIsTracked) {
  globals[2 * kWordsPerPage] = 4711;
  open({.low_window = globals_run()});
  EXPECT_EQ(globals[0], 1u);
  EXPECT_EQ(globals[2], 3u);
  EXPECT_EQ(globals[2 * kWordsPerPage], 4711u);
  EXPECT_EQ(globals[kWordsPerPage], 0u);
  harvest();
  EXPECT_TRUE(std::ranges::any_of(found.runs(), [](const base::PageRun& run) {
    return run.contains(base::PageNumber::of(&globals[2 * kWordsPerPage]));
  })) << "first values are dirty: no store has them";
  EXPECT_TRUE(harvest().empty());
  globals[30 * kWordsPerPage] = 5;
  ASSERT_EQ(harvest().size(), 1u);
  EXPECT_EQ(found.runs()[0].first, base::PageNumber::of(&globals[30 * kWordsPerPage]));
}

TEST_P(MemoryManagerTest, TheLowWindowComesFromTheStoreInLaterLives) {
  source.outcome_of = [](base::PageNumber page, base::Epoch) {
    return page == globals_run().first ? PageSource::Outcome::kImage : PageSource::Outcome::kAbsent;
  };
  open({.low_window = globals_run(), .low_contents = LowContents::kFromStore});
  EXPECT_EQ(read_word(globals_run().first, 5), stamp(globals_run().first, 5));
  EXPECT_EQ(read_word(page_at(globals_run(), 2)), 0u);
  EXPECT_TRUE(harvest().empty());
}

TEST_P(MemoryManagerTest, ATrackerThatWasAskedForIsTaken) {
  open({.low_window = globals_run()});
  EXPECT_EQ(memory->tracker_sentence().find(std::string("tracker ") +
                                            std::string(memory->tracker().name()) + ", as asked"),
            0u);
}

TEST_P(MemoryManagerTest, ARangeThatIsTakenIsNamed) {
  void* const taken = reinterpret_cast<void*>(kSpaceBase + kGiB);
  ASSERT_EQ(
      ::mmap(taken, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
      taken);
  EXPECT_NE(why_not({}).find("another mapping lies there"), std::string::npos);
  ::munmap(taken, 4096);
  EXPECT_EQ(why_not({}), "");
}

TEST_P(MemoryManagerTest, AnAddressSpaceLimitIsNamed) {
  const auto open_limited = [this] {
    // Above what is mapped already: a sanitizer's shadow takes terabytes.
    std::uint64_t mapped_pages = 0;
    std::ifstream("/proc/self/statm") >> mapped_pages;
    const rlim_t bytes = mapped_pages * base::kPageSize + 64 * kGiB;
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    ::setrlimit(RLIMIT_AS, &limit);
    ::_exit(why_not({}).find("ulimit -v unlimited") == std::string::npos ? 1 : 0);
  };
  EXPECT_EXIT(open_limited(), ::testing::ExitedWithCode(0), "");
}

TEST_P(MemoryManagerTest, AnUnprivilegedUserMayDoAllOfIt) {
  const auto run_as_nobody = [this] {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    // Changing the user hides /proc/self; a program that nobody starts may see its own.
    ::prctl(PR_SET_DUMPABLE, 1);
    open({});
    write_word(page_at(kHeapRun, 9), 5);
    const bool harvested = harvest().size() == 1 && harvest().empty();
    ::_exit(harvested && read_word(page_at(kHeapRun, 9)) == 5 ? 0 : 2);
  };
  EXPECT_EXIT(run_as_nobody(), ::testing::ExitedWithCode(0), "");
}

TEST_P(MemoryManagerTest, ItOpensAgainAfterClosing) {
  for (int round = 0; round < 3; ++round) {
    open({});
    EXPECT_EQ(read_word(kHeapRun.first), 0u);
    write_word(kHeapRun.first, 1);
    TearDown();
  }
}

TEST_P(MemoryManagerTest, ASegmentKeepsTicketsUntilItEnds) {
  open({});
  const base::PageRun run = space_run(5 * kMiB, kMiB);
  const auto owner = memory->add_kept_segment("kept", run, SegmentAccess::kReadWrite);
  ASSERT_TRUE(owner.ok());
  EXPECT_EQ(memory->owner_of(run.first), *owner);
  memory->tickets().set(*owner, {run.first, {4}}, Ticket::zero_fill(), TicketTable::keep_nothing);
  write_word(page_at(run, 3), 7);
  EXPECT_EQ(read_word(page_at(run, 3)), 7u);
  EXPECT_EQ(memory->ticket_of(page_at(run, 4)), Ticket::forbidden(ForbiddenReason::kUnmapped));
  memory->release({run.first, {4}});
  memory->end_segment(run.first, TicketTable::keep_nothing);
  EXPECT_EQ(memory->ticket_of(run.first), Ticket::forbidden(ForbiddenReason::kUnmapped));
  EXPECT_TRUE(memory->add_kept_segment("again", run, SegmentAccess::kReadWrite).ok());
}

}  // namespace
}  // namespace revenant::vm
