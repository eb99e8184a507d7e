// Segments that are only read, filled from host files, under each tracker.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/vm/memory_test.h"

namespace revenant::vm {
namespace {

constexpr std::uint64_t kFirstPart = 5000;
constexpr base::PageRun kView{page_at(kMappedFilesRun, 700), {3000}};

// A file of one mapping, whose every page begins with its number.
class OneFile final : public HostFileSource {
 public:
  OneFile() {
    EXPECT_EQ(::ftruncate(file_, static_cast<off_t>(kView.count.bytes())), 0);
    for (std::uint64_t i = 0; i < kView.count.value; ++i) {
      EXPECT_EQ(::pwrite(file_, &i, sizeof i, static_cast<off_t>(base::PageCount{i}.bytes())), 8);
    }
    mapped_ = ::mmap(nullptr, kView.count.bytes(), PROT_READ, MAP_PRIVATE, file_, 0);
    EXPECT_NE(mapped_, MAP_FAILED);
  }
  ~OneFile() override {
    ::munmap(mapped_, kView.count.bytes());
    ::close(file_);
  }
  void cut() const { EXPECT_EQ(::ftruncate(file_, 0), 0); }

  const std::byte* find(std::uint64_t first, base::PageCount) noexcept override {
    if (--looks_left == 0) return nullptr;
    return static_cast<const std::byte*>(mapped_) + base::PageCount{first - kFirstPart}.bytes();
  }

  int looks_left = 1 << 30;

 private:
  const int file_ = ::memfd_create("one", 0);
  void* mapped_ = nullptr;
};

class HostFileTest : public TrackerTest {
 protected:
  void SetUp() override { open_with({}); }
  void open_with(const MemoryOptions& options) {
    open(options);
    memory->set_host_files(file);
    const auto owner =
        memory->add_kept_segment("mapped files", kMappedFilesRun, SegmentAccess::kReadOnly);
    ASSERT_TRUE(owner.ok());
    memory->tickets().set(*owner, kView, Ticket::host_file(kView.first, kFirstPart),
                          TicketTable::keep_nothing);
    memory->set_fatal_fault({&tell, nullptr});
  }
  static void tell(void*, const FaultReport& report) noexcept {
    char line[256];
    const int length =
        std::snprintf(line, sizeof line, "%s, rule '%s': %s\n", report.is_write ? "write" : "read",
                      rule_of(report.reason), to_string(report.reason));
    (void)!::write(STDERR_FILENO, line, static_cast<std::size_t>(length));
    ::_exit(77);
  }

  OneFile file;
};

REVENANT_FOR_EACH_TRACKER(HostFileTest);

TEST_P(HostFileTest, PagesAreLoadedWhenTouchedAndNeverHarvested) {
  write_word(kHeapRun.first, 1);
  harvest();
  for (std::uint64_t i = 0; i < kView.count.value; ++i) {
    ASSERT_EQ(read_word(page_at(kView, i)), i);
  }
  EXPECT_EQ(read_word(page_at(kView, 17), 5), 0u);
  EXPECT_TRUE(harvest().empty());
  EXPECT_EQ(memory->statistics().file_pages, kView.count.value);
  EXPECT_LT(memory->statistics().file_faults, kView.count.value / 8);
  const auto cooled = memory->tracker().cool(64);
  ASSERT_TRUE(cooled.ok());
  EXPECT_EQ(*cooled, 0u) << "no harvest looks there that could be spared it";
}

TEST_P(HostFileTest, UnderABudgetPagesAreDroppedAndLoadedAgain) {
  constexpr std::uint64_t kBudget = 256;
  TearDown();
  open_with({.memory_budget = {kBudget}});
  memory->trimmer().note_writer_thread();
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < kView.count.value; ++i) {
      ASSERT_EQ(read_word(page_at(kView, i)), i);
      ASSERT_LE(memory->pager().lists().in_use(), kBudget);
    }
  }
  const MemoryStatistics now = memory->statistics();
  EXPECT_GT(now.file_pages, kView.count.value * 3 / 2);
  EXPECT_GE(now.trimmed_clean_pages, now.file_pages - kBudget);
  EXPECT_EQ(now.modified_pages + now.standby_pages + now.written_pages, 0u) << "the file has them";
  EXPECT_TRUE(harvest().empty());
}

TEST_P(HostFileTest, AWriteIsRefusedWhetherThePageIsThereOrNot) {
  const char* refusal = "write, rule 'read-only': the memory may only be read";
  EXPECT_EXIT(write_word(page_at(kView, 3), 1), ::testing::ExitedWithCode(77), refusal);
  EXPECT_EQ(memory->statistics().file_pages, 0u) << "nothing was loaded";
  EXPECT_EQ(read_word(page_at(kView, 3)), 3u);
  EXPECT_EXIT(write_word(page_at(kView, 3), 1), ::testing::ExitedWithCode(77), refusal);
  const char* unmapped = "rule 'unmapped': the memory was never given out";
  EXPECT_EXIT(write_word(kView.end(), 1), ::testing::ExitedWithCode(77), unmapped);
  EXPECT_EXIT((void)read_word(kView.end()), ::testing::ExitedWithCode(77), unmapped);
}

TEST_P(HostFileTest, AFileThatWasCutIsNoMemoryTheHostLacks) {
  EXPECT_EQ(read_word(kView.first), 0u);
  file.cut();
  file.looks_left = 2;
  EXPECT_EXIT((void)read_word(page_at(kView, 900)), ::testing::ExitedWithCode(77),
              "read, rule '': the file that is mapped there is not what it was");
}

}  // namespace
}  // namespace revenant::vm
