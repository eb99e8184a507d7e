// Flags, environment and defaults; and the refusal of what is not offered.
#include "runtime/options.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstdlib>

namespace revenant::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

base::Result<ParsedOptions> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "/somewhere/program");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(OptionsTest, DefaultsAreTheDocumentedOnes) {
  const auto parsed = parse({});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->options.program, "program");
  EXPECT_EQ(parsed->options.store, "program.rev");
  EXPECT_EQ(parsed->options.snapshot_every, std::chrono::milliseconds(100));
  EXPECT_EQ(parsed->options.stack_bytes, 256u * 1024);
  EXPECT_EQ(parsed->options.memory_bytes, 0u);
  EXPECT_FALSE(parsed->options.upgrade);
}

TEST(OptionsTest, AFlagBeatsTheEnvironmentBeatsTheDefault) {
  ::setenv("REVENANT_SNAPSHOT_EVERY", "2s", 1);
  EXPECT_EQ(parse({})->options.snapshot_every, std::chrono::seconds(2));
  EXPECT_EQ(parse({"--snapshot-every", "1ms"})->options.snapshot_every,
            std::chrono::milliseconds(1));
  ::unsetenv("REVENANT_SNAPSHOT_EVERY");
}

TEST(OptionsTest, AMemoryBudgetIsNoneOrAMegabyteAtLeast) {
  EXPECT_EQ(parse({"--memory", "1M"})->options.memory_bytes, 1u << 20);
  EXPECT_EQ(parse({"--memory", "0"})->options.memory_bytes, 0u);
  const auto parsed = parse({"--memory", "4096"});
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().message,
            "a memory budget of 4096 bytes is too small; give at least 1M, or 0 for no limit");
}

TEST(OptionsTest, WhatIsNotTakenIsLeftInOrder) {
  const auto parsed = parse({"one", "--store", "s", "--threads", "8", "two"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(parsed->options.arguments, ElementsAre("one", "--threads", "8", "two"));
}

TEST(OptionsTest, WhatIsNotOfferedIsRefusedByName) {
  const std::vector<std::vector<const char*>> refused = {{"--workers", "2"}, {"--branch", "other"},
                                                         {"--from", "3"},    {"--keep", "last=3"},
                                                         {"--key", "file"},  {"--preempt", "10ms"}};
  for (const auto& arguments : refused) {
    const auto parsed = parse(arguments);
    ASSERT_FALSE(parsed.ok()) << arguments[0];
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kUsage);
    EXPECT_THAT(parsed.error().message, HasSubstr(arguments[0]));
    EXPECT_THAT(parsed.error().message, HasSubstr("not available"));
  }
  EXPECT_TRUE(parse({"--preempt", "off"}).ok());
  EXPECT_TRUE(parse({"--workers", "1"}).ok());
}

TEST(OptionsTest, HelpListsWhatIsOfferedOnly) {
  ::testing::internal::CaptureStdout();
  EXPECT_TRUE(parse({"--help"})->exit_now);
  const std::string help = ::testing::internal::GetCapturedStdout();
  for (const char* offered :
       {"--store", "--snapshot-every", "--memory", "--stack", "--tracker", "--upgrade"}) {
    EXPECT_THAT(help, HasSubstr(offered));
  }
  for (const char* refused : {"--workers", "--preempt", "--branch", "--from", "--keep", "--key"}) {
    EXPECT_THAT(help, Not(HasSubstr(refused)));
  }
}

TEST(OptionsTest, WhatEndsTheFlagsIsNoArgument) {
  const auto parsed = parse({"one", "--", "--store", "--", "two"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->options.store, "program.rev");
  EXPECT_THAT(parsed->options.arguments, ElementsAre("one", "--store", "--", "two"));
}

TEST(OptionsTest, AProgramWithoutANameHasTheProcesss) {
  const auto parsed = parse_options(0, nullptr);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->options.program, program_invocation_short_name);
  EXPECT_TRUE(parsed->options.arguments.empty());
}

TEST(OptionsTest, BadValuesAreNamed) {
  for (const auto& arguments : std::vector<std::vector<const char*>>{{"--snapshot-every", "soon"},
                                                                     {"--stack", "1"},
                                                                     {"--stack", "64X"},
                                                                     {"--tracker", "magic"},
                                                                     {"--pause-target", "-1ms"},
                                                                     {"--store"}}) {
    const auto parsed = parse(arguments);
    ASSERT_FALSE(parsed.ok()) << arguments[0];
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kUsage);
  }
}

TEST(OptionsTest, SizesHaveUnits) {
  EXPECT_EQ(*parse_size("4096"), 4096u);
  EXPECT_EQ(*parse_size("64M"), 64u << 20);
  EXPECT_EQ(*parse_size("2G"), std::size_t{2} << 30);
  for (const char* wrong : {"", "M", "1.2.3", "-1", "9999999T", "nan"}) {
    EXPECT_FALSE(parse_size(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace revenant::runtime
