// Accesses that end the program: each in a process of its own, which tells what it was told.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/vm/memory_test.h"
#include "vm/stack_slots.h"

namespace revenant::vm {
namespace {

constexpr int kTold = 77;

// What the runtime's callback does, without the runtime: one line, and the end.
void tell(void*, const FaultReport& report) noexcept {
  char line[256];
  const int length = std::snprintf(line, sizeof line, "%s of %#zx in '%s': %s, signal %d\n",
                                   report.is_write ? "write" : "read", report.address,
                                   report.segment, to_string(report.reason), report.signal);
  (void)!::write(STDERR_FILENO, line, static_cast<std::size_t>(length));
  ::_exit(report.context == nullptr ? 1 : kTold);
}

std::string line_of(const char* access, base::PageNumber page, const std::string& rest) {
  char start[64];
  std::snprintf(start, sizeof start, "%s of %#zx in ", access, page.address() + 8);
  return start + rest;
}

class FatalFaultTest : public TrackerTest {
 protected:
  void SetUp() override {
    MemoryTest::SetUp();
    memory->set_fatal_fault({&tell, nullptr});
    stacks.set_slot_size(1, base::PageCount::holding(std::size_t{320} * 1024));
    ASSERT_TRUE(memory->add_segment("stacks", kStackRun, stacks).ok());
    heap_rule.rule = [](base::PageNumber page) {
      return page == freed ? Ticket::forbidden(ForbiddenReason::kFreed) : Ticket::stored();
    };
    source.outcome_of = [](base::PageNumber page, base::Epoch) {
      if (page == unavailable) return PageSource::Outcome::kUnavailable;
      return page == damaged ? PageSource::Outcome::kDamaged : PageSource::Outcome::kAbsent;
    };
  }

  static constexpr base::PageNumber freed = page_at(kHeapRun, 5);
  static constexpr base::PageNumber damaged = page_at(kHeapRun, 50);
  static constexpr base::PageNumber unavailable = page_at(kHeapRun, 90);
  StackSlotRule stacks;
};

REVENANT_FOR_EACH_TRACKER(FatalFaultTest);

TEST_P(FatalFaultTest, TheGuardBelowAStack) {
  const StackSlotRule::Slot slot = stacks.slot_at(1, 3);
  write_word(slot.stack.first, 1);
  const base::PageNumber guard = slot.guard.end() - base::PageCount{1};
  EXPECT_EXIT(write_word(guard, 1, 1), ::testing::ExitedWithCode(kTold),
              line_of("write", guard, "'stacks': the guard below a stack was reached"));
}

TEST_P(FatalFaultTest, MemoryThatWasGivenBack) {
  EXPECT_EXIT(read_word(freed, 1), ::testing::ExitedWithCode(kTold),
              line_of("read", freed, "'heap': the memory was given back"));
}

TEST_P(FatalFaultTest, MemoryThatWasReleasedWhileItWasThere) {
  const base::PageNumber page = page_at(kHeapRun, 9);
  write_word(page, 1);
  heap_rule.rule = [](base::PageNumber) { return Ticket::forbidden(ForbiddenReason::kFreed); };
  memory->release({page, {1}});
  EXPECT_EXIT(write_word(page, 1, 1), ::testing::ExitedWithCode(kTold),
              line_of("write", page, "'heap': the memory was given back"));
}

TEST_P(FatalFaultTest, AnAddressThatBelongsToNobody) {
  const base::PageNumber page = kHeapMetadataRun.first;
  EXPECT_EXIT(read_word(page, 1), ::testing::ExitedWithCode(kTold),
              line_of("read", page, "'': the memory was never given out"));
}

TEST_P(FatalFaultTest, ADamagedImage) {
  EXPECT_EXIT(write_word(damaged, 1, 1), ::testing::ExitedWithCode(kTold),
              line_of("write", damaged, "'heap': the page's image in the store is damaged"));
}

TEST_P(FatalFaultTest, AnImageThatCannotBeHad) {
  EXPECT_EXIT(read_word(unavailable, 1), ::testing::ExitedWithCode(kTold),
              line_of("read", unavailable, "'heap': the page's image cannot be read"));
}

TEST_P(FatalFaultTest, DataThatIsExecuted) {
  const base::PageNumber page = page_at(kHeapRun, 1);
  write_word(page, 0xc3);
  EXPECT_EXIT(reinterpret_cast<void (*)()>(page.address() + 8)(), ::testing::ExitedWithCode(kTold),
              line_of("read", page, "'heap': this kind of access is not allowed"));
}

TEST_P(FatalFaultTest, AnAddressOutsideTheSpace) {
  EXPECT_EXIT(write_word(base::PageNumber{1}, 1), ::testing::ExitedWithCode(kTold),
              "write of 0x1000 in '': the address is not in the persistent space, signal 11");
}

TEST_P(FatalFaultTest, AFileThatWasTruncatedUnderItsMapping) {
  const int file = ::memfd_create("truncated", 0);
  ASSERT_EQ(::ftruncate(file, 4096), 0);
  void* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  ASSERT_EQ(::ftruncate(file, 0), 0);
  EXPECT_EXIT((void)*static_cast<volatile int*>(mapped), ::testing::ExitedWithCode(kTold),
              "in '': the address is not in the persistent space, signal 7");
  ::munmap(mapped, 4096);
  ::close(file);
}

// The space is opened anew over handlers that the test set, and no callback is given.
TEST_P(FatalFaultTest, WithoutACallbackTheSignalDoesWhatItDidBefore) {
  const auto fault_unheard = [this] {
    TearDown();
    for (const int fault : {SIGBUS, SIGSEGV}) ::signal(fault, [](int) { ::_exit(33); });
    open({});
    read_word(freed, 1);
    ::_exit(1);
  };
  EXPECT_EXIT(fault_unheard(), ::testing::ExitedWithCode(33), "");
}

TEST_P(FatalFaultTest, ASignalThatWasSentIsNotAFault) {
  const auto send = [this] {
    TearDown();
    ::signal(SIGSEGV, [](int) { ::_exit(34); });
    open({});
    ::raise(SIGSEGV);
    ::_exit(1);
  };
  EXPECT_EXIT(send(), ::testing::ExitedWithCode(34), "");
}

}  // namespace
}  // namespace revenant::vm
