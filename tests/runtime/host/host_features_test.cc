// A program goes on only where the processor has what it may have chosen by.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/host/host_features_linux.h"
#include "store/store.h"
#include "tests/runtime/program_test.h"

namespace revenant::runtime {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kBeyondThisVersion = std::uint64_t{1} << 63;

TEST(HostFeatures, AreFoundOnThisHost) {
  const store::HostFeatures own = own_host();
  EXPECT_EQ(own.machine, EM_X86_64);
  EXPECT_EQ(own.features & 1, 1u) << "sse3 is older than the rest of what is needed";
  EXPECT_EQ((own.features >> 14 & 1) != 0, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ((own.features >> 16 & 1) != 0, __builtin_cpu_supports("avx512f") != 0);
}

TEST(HostFeatures, MayBeMoreButNotLess) {
  const store::HostFeatures own{.machine = EM_X86_64, .features = 0xFF};
  EXPECT_TRUE(check_host({.machine = EM_X86_64, .features = 0x0F}, own, "s").ok());
  EXPECT_TRUE(check_host({}, own, "s").ok());
  const auto refused = check_host({.machine = EM_X86_64, .features = 0x1400F}, own, "s");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kUnsupportedHost);
  EXPECT_EQ(refused.error().message,
            "the program in s ran on a processor with avx2, avx512f, which this host's lacks and "
            "the program may have chosen; start it on a host that has it");
}

TEST(HostFeatures, OfAnotherArchitectureAreNamed) {
  const auto refused = check_host({.machine = EM_AARCH64}, {.machine = EM_X86_64}, "s");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "the program in s ran on aarch64, and this host is x86-64; start it on a host of the "
            "first kind");
}

class ForeignHost : public testing::ProgramTest {
 protected:
  // As a program on such a host would leave it.
  void note(const store::HostFeatures& host) {
    auto opened = store::Store::open({.path = store(), .program = program_invocation_short_name});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_TRUE((*opened)->begin_generation(host).ok());
  }
  testing::Ended start() {
    return testing::run_to_end(store(), [] {
      sync();
      print("goes on\n");
      raise(SIGKILL);
    });
  }
};

TEST_F(ForeignHost, EndsTheStartWithWhatIsMissing) {
  EXPECT_EQ(start().out, "goes on\n");
  EXPECT_EQ(start().out, "goes on\n");
  note({.machine = EM_X86_64, .features = kBeyondThisVersion});
  const testing::Ended refused = start();
  EXPECT_EQ(refused.exit_code(), 13);
  EXPECT_THAT(refused.err,
              HasSubstr("ran on a processor with feature 63, which this host's lacks"));
}

TEST_F(ForeignHost, OfAnotherArchitectureEndsTheStart) {
  EXPECT_EQ(start().out, "goes on\n");
  note({.machine = EM_AARCH64});
  const testing::Ended refused = start();
  EXPECT_EQ(refused.exit_code(), 13);
  EXPECT_THAT(refused.err, HasSubstr("ran on aarch64, and this host is x86-64"));
}

}  // namespace
}  // namespace revenant::runtime
