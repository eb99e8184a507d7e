// Lengths of time are read as people write them, and refused with a sentence otherwise.
#include "base/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace revenant::base {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(ParseDuration, KnowsTheUnits) {
  EXPECT_EQ(*parse_duration("100ms"), 100ms);
  EXPECT_EQ(*parse_duration("250us"), 250us);
  EXPECT_EQ(*parse_duration("7ns"), 7ns);
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("10m"), 10min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("3d"), 72h);
  EXPECT_EQ(*parse_duration("0"), 0ns);
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"", "5", "ms", "-1s", "1 s", "1s ", "1e3s", "nan", "inf", "0x1s", "1sec",
                           "999999999999999d"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_THAT(parsed.error().message, HasSubstr("as in 100ms"));
  }
}

TEST(FormatDuration, UsesTheUnitThatFits) {
  EXPECT_EQ(format_duration(0ns), "0 ns");
  EXPECT_EQ(format_duration(999ns), "999 ns");
  EXPECT_EQ(format_duration(1200ns), "1.2 us");
  EXPECT_EQ(format_duration(45ms), "45 ms");
  EXPECT_EQ(format_duration(90s), "1.5 m");
  EXPECT_EQ(format_duration(30h), "1.2 d");
}

}  // namespace
}  // namespace revenant::base
