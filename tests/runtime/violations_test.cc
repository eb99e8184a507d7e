// Accesses that break a rule, by programs: each report names thread, address, segment, rule and the
// function, reads as well as writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <ostream>
#include <string>

#include "runtime/api_support.h"
#include "tests/runtime/program_test.h"
#include "vm/space.h"

namespace revenant::testing {

// Outside the unnamed namespace, and not inlined: named in backtraces.
__attribute__((noinline)) void touch(const volatile char* address, bool is_write) {
  if (is_write) {
    *const_cast<volatile char*>(address) = 1;
  } else {
    (void)*address;
  }
}

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kFileBytes = 100'000;

const char* below_the_stack(const std::string&) {
  return reinterpret_cast<const char*>(runtime::current_green_thread()->record.stack_low) - 100;
}
const char* freed_block(const std::string&) {
  char* volatile block = static_cast<char*>(std::malloc(1 << 20));
  std::free(block);
  return block + 5000;
}
const char* beyond_the_heap(const std::string&) {
  return reinterpret_cast<const char*>(vm::kHeapRun.end().address() - 64);
}
const char* outside_all_segments(const std::string&) {
  return reinterpret_cast<const char*>(vm::kWorldRun.end().address());
}
const char* behind_a_file(const std::string& file) {
  const auto view = map_file(file);
  const std::size_t whole_pages = (view.size() + 4095) / 4096 * 4096;
  return reinterpret_cast<const char*>(view.data()) + whole_pages;
}
const char* loaded_page_of_a_file(const std::string& file) {
  const auto* byte = reinterpret_cast<const char*>(map_file(file).data() + 5000);
  touch(byte, false);
  return byte;
}
const char* page_of_a_file(const std::string& file) {
  return reinterpret_cast<const char*>(map_file(file).data());
}

struct Violation {
  const char* name;
  bool is_write;
  const char* (*address)(const std::string& file);
  const char* says;
};
void PrintTo(const Violation& violation, std::ostream* out) { *out << violation.name; }

class ViolationTest : public ProgramTest, public ::testing::WithParamInterface<Violation> {};

TEST_P(ViolationTest, IsNamed) {
  const std::string data = file("data");
  std::ofstream(data) << std::string(kFileBytes, 'd');
  const Violation violation = GetParam();
  const Ended ended = run_to_end(store(), [violation, data] {
    thread({.name = "culprit"}, [violation, data] {
      const char* address = violation.address(data);
      print("{}\n", static_cast<const void*>(address));
      touch(address, violation.is_write);
      print("never\n");
    }).join();
  });
  EXPECT_EQ(ended.exit_code(), 1) << ended.err;
  EXPECT_THAT(ended.out, Not(HasSubstr("never")));
  const std::string address = ended.out.substr(0, ended.out.find('\n'));
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("thread 2 'culprit' "),
                    HasSubstr((violation.is_write ? "wrote to " : "read from ") + address),
                    HasSubstr(violation.says), HasSubstr("touch"), HasSubstr("violations_test.cc:"),
                    HasSubstr("stays as last committed")));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ViolationTest,
    ::testing::Values(
        Violation{"guard_read", false, below_the_stack, " (stacks, rule guard)"},
        Violation{"guard_write", true, below_the_stack, " (stacks, rule guard)"},
        Violation{"freed_read", false, freed_block, " (heap, rule freed): the memory was given"},
        Violation{"freed_write", true, freed_block, " (heap, rule freed): the memory was given"},
        Violation{"unmapped_read", false, beyond_the_heap, " (heap, rule unmapped): the memory"},
        Violation{"unmapped_write", true, beyond_the_heap, " (heap, rule unmapped): the memory"},
        Violation{"nowhere_read", false, outside_all_segments, " (in no segment, rule unmapped)"},
        Violation{"nowhere_write", true, outside_all_segments, " (in no segment, rule unmapped)"},
        Violation{"behind_file_read", false, behind_a_file, " (mapped files, rule unmapped)"},
        Violation{"behind_file_write", true, behind_a_file, " (mapped files, rule unmapped)"},
        Violation{"missing_file_write", true, page_of_a_file,
                  " (mapped files, rule read-only): the memory may only be read"},
        Violation{"loaded_file_write", true, loaded_page_of_a_file,
                  " (mapped files, rule read-only): the memory may only be read"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace revenant::testing
