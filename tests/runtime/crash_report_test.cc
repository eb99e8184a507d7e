// Each kind of bad end, in a program of its own: what is said, and how it exits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>

#include "store/store_call.h"
#include "tests/runtime/child_program.h"
#include "tests/support/temporary_directory.h"

namespace revenant::testing {

// Outside the unnamed namespace, and not inlined: named in backtraces.
__attribute__((noinline)) int overflow_the_stack(int depth) {
  volatile char page[4096];
  page[0] = static_cast<char>(depth);
  if (depth < 0) return 0;
  return overflow_the_stack(depth + 1) + page[0];
}

// Its end lies far beyond the guard below the stack.
__attribute__((noinline)) char fill_a_large_frame() {
  volatile char frame[1 << 20];
  frame[0] = 1;
  return frame[0];
}

__attribute__((noinline)) void throw_something(const char* what) { throw std::runtime_error(what); }

__attribute__((noinline)) void write_to(volatile char* address) { *address = 1; }

__attribute__((noinline)) int divide(int by) { return 7 / by; }

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CrashReport : public ::testing::Test {
 protected:
  template <class F>
  Ended run_thread(F body) {
    return run_to_end(store(), [body] {
      thread({.name = "culprit"}, body).join();
      print("never\n");
    });
  }
  std::filesystem::path store() const { return directory_ / "store"; }

 private:
  TemporaryDirectory directory_;
};

auto names_thread_and_function(const char* function) {
  return AllOf(HasSubstr("thread 2 'culprit' "), HasSubstr(function),
               HasSubstr("crash_report_test.cc:"), HasSubstr("stays as last committed"),
               Not(HasSubstr("the report itself failed")));
}

TEST_F(CrashReport, AnExceptionThatLeavesAThread) {
  const Ended ended = run_thread([] { throw_something("out of patience"); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, names_thread_and_function("throw_something"));
  EXPECT_THAT(ended.err, HasSubstr("std::runtime_error: out of patience"));
}

TEST_F(CrashReport, AnExceptionOfAnyType) {
  const Ended ended = run_thread([] { throw 7; });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, HasSubstr("let an exception leave its function, int\n"));
}

TEST_F(CrashReport, AStackThatOverflows) {
  const Ended ended = run_thread([] { overflow_the_stack(0); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, names_thread_and_function("overflow_the_stack"));
  EXPECT_THAT(ended.err, HasSubstr(" times more)"));
  EXPECT_THAT(ended.err, HasSubstr("overflowed its stack: it wrote to 0x56"));
}

TEST_F(CrashReport, AFrameLargerThanTheStack) {
  const Ended ended = run_thread([] { fill_a_large_frame(); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, names_thread_and_function("fill_a_large_frame"));
  EXPECT_THAT(ended.err, HasSubstr("overflowed its stack: it wrote to 0x56"));
}

TEST_F(CrashReport, MemoryThatWasGivenBack) {
  const Ended ended = run_thread([] {
    char* volatile block = static_cast<char*>(std::malloc(1 << 20));
    std::free(block);
    write_to(block + 5000);
  });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, names_thread_and_function("write_to"));
  EXPECT_THAT(ended.err, HasSubstr("(heap, rule freed): the memory was given back"));
}

TEST_F(CrashReport, MemoryThatWasNeverGivenOut) {
  const Ended ended = run_thread([] { write_to(reinterpret_cast<char*>(0x560010000000)); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, HasSubstr("wrote to 0x560010000000 (in no segment, rule unmapped): the "
                                   "memory was never given out"));
}

TEST_F(CrashReport, ABlockFreedTwice) {
  const Ended ended = run_thread([] {
    void* volatile block = std::malloc(100);
    std::free(block);
    std::free(block);
    block = nullptr;  // keeps the frame that is to be named
  });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("thread 2 'culprit' misused the heap: free(0x56"),
                               HasSubstr("crash_report_test.cc:")));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// A sanitizer reports these itself.
TEST_F(CrashReport, ANullPointer) {
  const Ended ended = run_thread([] { write_to(nullptr); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, names_thread_and_function("write_to"));
  EXPECT_THAT(ended.err, HasSubstr("wrote to 0x0: the address is not in the persistent space"));
}

TEST_F(CrashReport, ADivisionByZero) {
  const Ended ended = run_thread([] { print("{}\n", divide(0)); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, names_thread_and_function("divide"));
  EXPECT_THAT(ended.err, HasSubstr("SIGFPE"));
}
#endif

TEST_F(CrashReport, AnAbort) {
  const Ended ended = run_thread([] { std::abort(); });
  EXPECT_EQ(ended.exit_code(), 1);
  EXPECT_THAT(ended.err, names_thread_and_function("abort"));
  EXPECT_THAT(ended.err, HasSubstr("aborted (SIGABRT)"));
}

[[noreturn]] void run_out_of_memory() { throw std::bad_alloc(); }

// Our own code fails, and data.mdb has no part in it.
TEST_F(CrashReport, AnAbortWithinTheStoreIsNotTakenForDamage) {
  const Ended aborted = run_thread([] {
    const store::StoreCall call;
    std::abort();
  });
  EXPECT_EQ(aborted.exit_code(), 1) << aborted.err;
  EXPECT_THAT(aborted.err, HasSubstr("aborted (SIGABRT)"));
  const Ended out_of_memory = run_thread([]() noexcept {
    const store::StoreCall call;
    run_out_of_memory();
  });
  EXPECT_EQ(out_of_memory.exit_code(), 1) << out_of_memory.err;
  EXPECT_THAT(out_of_memory.err, AllOf(HasSubstr("std::bad_alloc"), Not(HasSubstr("damaged"))));
}

TEST_F(CrashReport, AFailedAssertionOfLmdbsIsTheStoresDamage) {
  const Ended ended = run_thread([] {
    const store::StoreCall call;
    store::StoreCall::note_failed_assertion();
    std::abort();
  });
  EXPECT_EQ(ended.exit_code(), 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("its structure is damaged"));
}

TEST_F(CrashReport, TheThirdEndFromOneRevisionSuggestsAWayOut) {
  const auto main = [] {
    const revision committed = sync();
    print("{}\n", committed);
    while (generation() == 1) this_thread::sleep_for(std::chrono::milliseconds(1));
    throw_something("again");
  };
  {
    ChildProgram first(store(), main, std::chrono::nanoseconds(0));
    ASSERT_TRUE(first.says("\n"));
    first.kill();
  }
  for (int failure = 1; failure <= 3; ++failure) {
    const Ended ended = ChildProgram(store(), main, std::chrono::nanoseconds(0)).wait();
    EXPECT_EQ(ended.exit_code(), 1);
    const auto suggestion = AllOf(HasSubstr("bad end number 3 in a row"), HasSubstr("--upgrade"));
    if (failure == 3) {
      EXPECT_THAT(ended.err, suggestion);
    } else {
      EXPECT_THAT(ended.err, Not(suggestion));
    }
  }
}

TEST_F(CrashReport, ACaptureOfTheCallersStackExitsWithTwo) {
  int local = 0;
  const Ended ended = run_to_end(store(), [&local] { ++local; });
  EXPECT_EQ(ended.exit_code(), 2);
  EXPECT_THAT(ended.err, HasSubstr("in the caller's stack"));
}

}  // namespace
}  // namespace revenant::testing
