#include "base/check.h"

#include <gtest/gtest.h>

#include <string>

namespace revenant::base {
namespace {

TEST(Check, TrueConditionsPass) {
  int evaluated = 0;
  REVENANT_CHECK(++evaluated == 1);
  REVENANT_CHECK(++evaluated == 2, "not printed %d", evaluated);
  EXPECT_EQ(evaluated, 2);
}

TEST(CheckDeathTest, PrintsPlaceConditionAndFacts) {
  const int pages = 7;
  EXPECT_DEATH(REVENANT_CHECK(pages < 5, "%d pages of %s", pages, "the heap"),
               "check_test.cc:[0-9]+: check failed: pages < 5: 7 pages of the heap\n");
}

TEST(CheckDeathTest, FactsAreOptional) {
  EXPECT_DEATH(REVENANT_CHECK(1 == 2), "check failed: 1 == 2\n");
}

TEST(CheckDeathTest, LongFactsAreCutNotOverrun) {
  const std::string facts(5000, 'x');
  EXPECT_DEATH(REVENANT_CHECK(false, "%s", facts.c_str()), "check failed: false: x{900,1023}\n");
}

TEST(CheckDeathTest, LongConditionsAreCutNotOverrun) {
  const std::string condition(5000, 'c');
  EXPECT_DEATH(check_failed("file.cc", 1, condition.c_str(), "%d facts", 3),
               "file.cc:1: check failed: c{900,1023}\n");
}

#ifdef NDEBUG
TEST(Dcheck, IsNotEvaluatedInRelease) {
  int evaluated = 0;
  REVENANT_DCHECK(++evaluated != 1);
  EXPECT_EQ(evaluated, 0);
}
#else
TEST(DcheckDeathTest, AbortsInDebug) {
  EXPECT_DEATH(REVENANT_DCHECK(false, "seen"), "check failed: false: seen");
}
#endif

}  // namespace
}  // namespace revenant::base
