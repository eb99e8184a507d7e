#include "objects/roots.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "objects/heap.h"
#include "tests/objects/plain_space.h"
#include "tests/support/seed.h"

namespace revenant::objects {
namespace {

class RootsTest : public ::testing::Test {
 protected:
  RootsTest() { attach(); }

  // As a restart does: everything volatile is made anew.
  void attach() {
    roots_.reset();
    heap_.reset();
    heap_.emplace(space_.world(), pages_, 1);
    roots_.emplace(space_.world(), *heap_);
  }
  Root object() { return {.object = heap_->allocate(32), .bytes = 32, .type = 3}; }

  PlainSpace space_;
  FakePages pages_;
  std::optional<Heap> heap_;
  std::optional<Roots> roots_;
};

TEST_F(RootsTest, BadNamesAreRefusedWithTheReason) {
  const std::pair<std::string, const char*> names[] = {
      {"", "a name is empty"},          {"/a", "do not begin with '/'"},
      {"a/", "do not end with '/'"},    {"a//b", "an empty component"},
      {std::string("a\0b", 3), "zero"}, {std::string(1025, 'x'), "more than 1024 bytes"}};
  for (const auto& [name, why] : names) {
    const base::Status status = Roots::check_name(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().code, base::ErrorCode::kUsage);
    EXPECT_NE(status.error().message.find(why), std::string::npos) << status.error().message;
    EXPECT_FALSE(roots_->insert(name, object()).ok());
  }
  EXPECT_TRUE(Roots::check_name(std::string(1024, 'x')).ok());
  EXPECT_TRUE(Roots::check_name("a/b c/\xc3\xa4").ok());
}

TEST_F(RootsTest, ANameIsTakenOnceAndMayAlsoBeADirectory) {
  const Root root = object();
  ASSERT_TRUE(roots_->insert("a/b", root).ok());
  EXPECT_EQ(roots_->insert("a/b", object()).error().code, base::ErrorCode::kNameTaken);
  EXPECT_EQ(roots_->find("a").error().code, base::ErrorCode::kNotFound);
  ASSERT_TRUE(roots_->insert("a", object()).ok());
  ASSERT_TRUE(roots_->insert("a/b/c", object()).ok());
  EXPECT_EQ(roots_->find("a/b")->object, root.object);
  EXPECT_EQ(roots_->find("a/b")->type, 3u);
  EXPECT_EQ(roots_->erase("a/b")->object, root.object);
  EXPECT_FALSE(roots_->find("a/b").ok());
  EXPECT_TRUE(roots_->find("a/b/c").ok());
  EXPECT_TRUE(roots_->check_invariants().ok());
}

TEST_F(RootsTest, AgainstAMapAndOverRestarts) {
  std::mt19937_64 random(testing::seed());
  std::map<std::string, void*> expected;
  const auto random_name = [&random] {
    std::string name;
    for (unsigned depth = 1 + random() % 4; depth > 0; --depth) {
      if (!name.empty()) name += '/';
      name += static_cast<char>('a' + random() % 6);
    }
    return name;
  };
  for (int step = 0; step < 20'000; ++step) {
    const std::string name = random_name();
    if (random() % 2 == 0) {
      const Root root = object();
      const bool added = roots_->insert(name, root).ok();
      ASSERT_EQ(added, expected.emplace(name, root.object).second) << name;
    } else {
      const auto erased = roots_->erase(name);
      ASSERT_EQ(erased.ok(), expected.erase(name) == 1) << name;
    }
    if (step % 5000 == 0) attach();
  }
  std::map<std::string, void*> visited;
  std::string before;
  roots_->for_each([&](std::string_view name, const Root& root) {
    visited.emplace(name, root.object);
    ASSERT_TRUE(before.empty() || std::string_view(before) < name || before + "/" < name);
    before = name;
  });
  EXPECT_EQ(visited, expected);
  EXPECT_EQ(roots_->count(), expected.size());
  const base::Status status = roots_->check_invariants();
  EXPECT_TRUE(status.ok()) << status.error().message;
  for (const auto& [name, pointer] : expected) ASSERT_TRUE(roots_->erase(name).ok());
  EXPECT_EQ(space_.world().roots.top, nullptr);
}

}  // namespace
}  // namespace revenant::objects
