#include "store/tag_name.h"

#include <gtest/gtest.h>

#include <string>

namespace revenant::store {
namespace {

TEST(TagNameTest, WhatCanBeAskedForIsTaken) {
  for (const char* name : {"a", "v1.2", "before upgrade", "2026-11-20", "été", "latest2"}) {
    EXPECT_TRUE(check_tag_name(name).ok()) << name;
  }
  EXPECT_TRUE(check_tag_name(std::string(255, 'x')).ok());
}

TEST(TagNameTest, WhatReadsAsAnotherRevisionIsRefused) {
  for (const char* name : {"", "5", "latest", "live", "@10m", "x~3", "two\nlines", "\x7f"}) {
    const base::Status refused = check_tag_name(name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, base::ErrorCode::kUsage);
  }
  EXPECT_FALSE(check_tag_name(std::string(256, 'x')).ok());
}

}  // namespace
}  // namespace revenant::store
