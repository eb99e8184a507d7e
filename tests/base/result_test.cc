#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace revenant::base {
namespace {

Error full_disk() { return {ErrorCode::kNoSpace, "the disk is full; free some space"}; }

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kUsage, std::to_string(number) + " is odd"};
  return number / 2;
}

Result<int> quarter_of(int number) {
  REVENANT_ASSIGN(const int half, half_of(number));
  REVENANT_ASSIGN(const int quarter, half_of(half));
  return quarter;
}

Status write_if(bool room) {
  if (!room) return full_disk();
  return {};
}

Status write_twice(bool first, bool second, int* reached) {
  REVENANT_TRY(write_if(first));
  *reached = 1;
  REVENANT_TRY(write_if(second));
  *reached = 2;
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = half_of(8);
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(static_cast<bool>(good));
  EXPECT_EQ(*good, 4);
  const Result<int> bad = half_of(7);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kUsage);
  EXPECT_EQ(bad.error().message, "7 is odd");
}

TEST(Result, AssignHandsTheFirstErrorOn) {
  EXPECT_EQ(quarter_of(12).value(), 3);
  EXPECT_EQ(quarter_of(10).error().message, "5 is odd");
  EXPECT_EQ(quarter_of(5).error().message, "5 is odd");
}

TEST(Result, TryStopsAtTheFirstError) {
  int reached = 0;
  EXPECT_TRUE(write_twice(true, true, &reached).ok());
  EXPECT_EQ(reached, 2);
  reached = 0;
  EXPECT_EQ(write_twice(true, false, &reached).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(reached, 1);
  reached = 0;
  EXPECT_EQ(write_twice(false, true, &reached).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(reached, 0);
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 5);
}

struct Shape {
  virtual ~Shape() = default;
  [[nodiscard]] virtual int corners() const { return 0; }
};
struct Square : Shape {
  [[nodiscard]] int corners() const override { return 4; }
};

TEST(Result, TakesWhatConvertsToItsValue) {
  const auto make = []() -> Result<std::unique_ptr<Shape>> { return std::make_unique<Square>(); };
  EXPECT_EQ(make().value()->corners(), 4);
  const auto name = []() -> Result<std::string> { return "a literal"; };
  EXPECT_EQ(*name(), "a literal");
}

TEST(Result, ReachesIntoItsValue) {
  Result<std::vector<int>> list = std::vector<int>{1, 2};
  list->push_back(3);
  (*list).push_back(4);
  EXPECT_EQ(list.value(), (std::vector<int>{1, 2, 3, 4}));
}

TEST(Result, CopiesAreIndependent) {
  Result<std::string> original = std::string("one");
  Result<std::string> copy = original;
  original.value() = "two";
  EXPECT_EQ(*copy, "one");
  copy = full_disk();
  EXPECT_FALSE(copy.ok());
  EXPECT_EQ(*original, "two");
}

TEST(ResultDeathTest, TheWrongSideIsABug) {
  const Result<int> bad = full_disk();
  EXPECT_DEATH((void)bad.value(), "the value of a failed result: the disk is full");
  const Result<int> good = 1;
  EXPECT_DEATH((void)good.error(), "the error of a result that has none");
  const Status fine;
  EXPECT_DEATH((void)fine.error(), "the error of a result that has none");
}

}  // namespace
}  // namespace revenant::base
