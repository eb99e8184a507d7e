#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/capture_check_linux.h"

namespace revenant::runtime {
namespace {

template <class F>
base::Status check(const F& main) {
  return check_captures(detail::describe_main(main));
}

TEST(CaptureCheck, AcceptsValuesEmptyOrNot) {
  EXPECT_TRUE(check([] {}).ok());
  EXPECT_TRUE(check([number = 7L, other = 2.5] { (void)(number + other); }).ok());
}

TEST(CaptureCheck, AcceptsWhatIsCopiedWithItsMemory) {
  const std::string brief = "in place";
  const std::string lengthy(1000, 'x');
  const std::vector<int> numbers(100, 7);
  EXPECT_TRUE(check([brief, lengthy, numbers] {}).ok());
}

TEST(CaptureCheck, AcceptsStaticStorage) {
  static int counter = 0;
  static const char* const text = "in the executable";
  EXPECT_TRUE(check([pointer = &counter, words = text] { (void)pointer, (void)words; }).ok());
}

TEST(CaptureCheck, RefusesTheCallersStack) {
  int local = 0;
  const base::Status status = check([&local] { ++local; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, base::ErrorCode::kUsage);
  EXPECT_THAT(status.error().message, ::testing::HasSubstr("0 bytes from their beginning"));
  EXPECT_THAT(status.error().message, ::testing::HasSubstr("the caller's stack"));
}

TEST(CaptureCheck, RefusesSharedHeapMemoryAndNamesTheOffset) {
  const auto shared = std::make_shared<int>(7);
  const base::Status status = check([number = 1L, shared] { (void)number; });
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, ::testing::HasSubstr("8 bytes from their beginning"));
}

}  // namespace
}  // namespace revenant::runtime
