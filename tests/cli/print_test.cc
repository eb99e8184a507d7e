// Tables, units and JSON, and that nothing an image holds reaches the terminal as it is.
#include "cli/print.h"

#include <gtest/gtest.h>

#include <climits>
#include <random>

#include "tests/support/seed.h"

namespace revenant::cli {
namespace {

TEST(Table, AlignsItsColumns) {
  Table table({{"ID", Align::kRight}, {"NAME"}, {"SIZE", Align::kRight}, {"TAGS"}});
  table.add({"1", "main", "256.0 KiB", ""});
  table.add({"1234", "Zoë", "8 B", "first"});
  EXPECT_EQ(table.format(false),
            "  ID  NAME       SIZE  TAGS\n"
            "   1  main  256.0 KiB\n"
            "1234  Zoë         8 B  first\n");
}

TEST(Table, PaintsItsTitlesAlone) {
  Table table({{"A"}});
  table.add({"x"});
  EXPECT_EQ(table.format(true), "\x1b[1mA\x1b[0m\nx\n");
}

TEST(HumanBytes, StaysShort) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1'572'864), "1.5 MiB");
  EXPECT_EQ(human_bytes((1ull << 30) - 1), "1.0 GiB");
  EXPECT_EQ(human_bytes(ULLONG_MAX), "16777216.0 TiB");
}

TEST(HumanCount, GroupsDigits) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1234567), "1,234,567");
  EXPECT_EQ(counted(0, "page"), "0 pages");
  EXPECT_EQ(counted(1, "page"), "1 page");
  EXPECT_EQ(counted(1000, "page"), "1,000 pages");
}

TEST(UtcTime, KeepsMilliseconds) {
  EXPECT_EQ(utc_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_time(1'767'225'600'123'000'000), "2026-01-01T00:00:00.123Z");
}

TEST(Printable, KeepsTextAndDropsControls) {
  EXPECT_EQ(printable("bank/Zoë €"), "bank/Zoë €");
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a?[31mb??");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");                                      // a control sequence in one character
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "?????");  // overlong; a surrogate
  EXPECT_EQ(printable("x\xe2\x82"), "x??");               // cut off
}

TEST(Printable, RandomBytesBecomeHarmless) {
  std::mt19937_64 random(testing::seed());
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string clean = printable(bytes);
    for (const char c : clean) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    EXPECT_NO_THROW(Json(clean).dump());
    EXPECT_EQ(printable(clean), clean);
  }
}

TEST(PrintJson, OneObjectALineAndTheVersionFirst) {
  ::testing::internal::CaptureStdout();
  print_json({{"name", "a\nb\xff"}, {"bytes", 3}});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "{\"v\":1,\"name\":\"a\\nb\xef\xbf\xbd\",\"bytes\":3}\n");
}

TEST(WantsColor, ListensToTheFlagFirst) {
  EXPECT_TRUE(wants_color("always"));
  EXPECT_FALSE(wants_color("never"));
}

}  // namespace
}  // namespace revenant::cli
