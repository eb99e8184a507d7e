// Threads and roots are found in a sound image, and a hostile one is refused, never followed.
#include "cli/world_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/cli/fake_image.h"
#include "tests/support/seed.h"
#include "vm/space.h"

namespace revenant::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::uintptr_t kFirst = kHeapAddress + 0x1000;
constexpr std::uintptr_t kSecond = kHeapAddress + 0x5040;
constexpr std::uintptr_t kThird = kHeapAddress + 0x900f8;

class WorldImageTest : public ::testing::Test {
 protected:
  WorldImageTest() { image_.put_world(); }

  void expect_threads_refused(const std::string& cause) {
    const auto threads = WorldImage(image_).threads();
    ASSERT_FALSE(threads.ok());
    EXPECT_EQ(threads.error().code, base::ErrorCode::kStoreDamaged);
    EXPECT_THAT(threads.error().message, HasSubstr(cause));
  }
  void expect_roots_refused(const std::string& cause) {
    const auto roots = WorldImage(image_).roots();
    ASSERT_FALSE(roots.ok());
    EXPECT_EQ(roots.error().code, base::ErrorCode::kStoreDamaged);
    EXPECT_THAT(roots.error().message, HasSubstr(cause));
  }

  FakeImage image_;
};

TEST_F(WorldImageTest, AnImageWithoutWorldIsRefused) {
  const FakeImage empty;
  const auto threads = WorldImage(empty).threads();
  ASSERT_FALSE(threads.ok());
  EXPECT_EQ(threads.error().code, base::ErrorCode::kAnotherFormat);
}

TEST_F(WorldImageTest, ANewWorldHasNoThreadsAndNoRoots) {
  EXPECT_TRUE(WorldImage(image_).threads()->empty());
  EXPECT_TRUE(WorldImage(image_).roots()->empty());
}

TEST_F(WorldImageTest, ThreadsComeInTheirOrder) {
  image_.put_table(kFirst, 3);
  image_.put_thread(kFirst, kThird, 1, "main");
  image_.put_thread(kThird, kSecond, 3, "clerk 1");
  image_.put_thread(kSecond, 0, 2, "notary");
  const auto threads = WorldImage(image_).threads();
  ASSERT_TRUE(threads.ok()) << threads.error().message;
  ASSERT_EQ(threads->size(), 3u);
  EXPECT_STREQ((*threads)[0]->name, "main");
  EXPECT_EQ((*threads)[1]->id, 3u);
  EXPECT_EQ((*threads)[2]->id, 2u);
}

TEST_F(WorldImageTest, AThreadListInACircleEnds) {
  image_.put_table(kFirst, 1'000);
  image_.put_thread(kFirst, kSecond, 1, "a");
  image_.put_thread(kSecond, kFirst, 2, "b");
  expect_threads_refused("no end");
}

TEST_F(WorldImageTest, MoreThreadsThanTheTableSaysAreNotFollowed) {
  image_.put_table(kFirst, 1);
  image_.put_thread(kFirst, kSecond, 1, "a");
  image_.put_thread(kSecond, 0, 2, "b");
  expect_threads_refused("no end");
}

TEST_F(WorldImageTest, AThreadOutsideTheSpaceIsNotRead) {
  for (const std::uintptr_t address :
       {std::uintptr_t{8}, std::uintptr_t{0x7fff'ffff'f000}, ~std::uintptr_t{7},
        std::uintptr_t{vm::kSpaceBase + vm::kSpaceSize - 8}}) {
    image_.put_table(address, 3);
    expect_threads_refused("outside the space");
  }
}

TEST_F(WorldImageTest, AMisalignedThreadIsNotBelieved) {
  image_.put_table(kFirst + 3, 3);
  expect_threads_refused("no such object");
}

TEST_F(WorldImageTest, RootsComeByNameWithTheirDirectories) {
  image_.put_top_root(kSecond);
  image_.put_root(kSecond, "bank", 0, {.left = kFirst, .children = kThird});
  image_.put_root(kFirst, "a", kHeapAddress, {});
  image_.put_root(kThird, "north", kHeapAddress + 64, {}, 300);
  image_.put_type(300, kHeapAddress + 0x20000, "std::vector<int>");
  const auto roots = WorldImage(image_).roots();
  ASSERT_TRUE(roots.ok()) << roots.error().message;
  ASSERT_EQ(roots->size(), 2u);  // `bank` is a mere directory
  EXPECT_EQ((*roots)[0].name, "a");
  EXPECT_EQ((*roots)[0].type, "?");
  EXPECT_EQ((*roots)[1].name, "bank/north");
  EXPECT_EQ((*roots)[1].type, "std::vector<int>");
  EXPECT_EQ((*roots)[1].address, kHeapAddress + 64);
  EXPECT_EQ((*roots)[1].bytes, 24u);
}

TEST_F(WorldImageTest, ARootThatIsItsOwnHeirIsRefused) {
  image_.put_top_root(kFirst);
  image_.put_root(kFirst, "a", kHeapAddress, {.children = kFirst});
  expect_roots_refused("its own heir");
}

TEST_F(WorldImageTest, AnEndlessNameIsRefused) {
  image_.put_top_root(kFirst);
  image_.put_root(kFirst, "a", kHeapAddress, {});
  image_.put(kFirst + offsetof(objects::RootEntry, name_bytes), std::uint32_t{0xffff'ffff});
  expect_roots_refused("its length is 4294967295");
}

TEST_F(WorldImageTest, ATypeThatWasNeverGivenIsUnknown) {
  image_.put_top_root(kFirst);
  for (const objects::TypeId id : {objects::TypeId{7}, objects::TypeId{0xffff'ffff}}) {
    image_.put_root(kFirst, "a", kHeapAddress, {}, id);
    const auto roots = WorldImage(image_).roots();
    ASSERT_TRUE(roots.ok()) << roots.error().message;
    EXPECT_EQ(roots->at(0).type, "?");
  }
}

TEST_F(WorldImageTest, ADegenerateTreeNeedsNoStack) {
  constexpr std::size_t kDepth = 20'000;
  image_.put_top_root(kHeapAddress);
  for (std::size_t i = 0; i < kDepth; ++i) {
    const std::uintptr_t below = i + 1 < kDepth ? kHeapAddress + (i + 1) * 128 : 0;
    image_.put_root(kHeapAddress + i * 128, "n" + std::to_string(i), kHeapAddress,
                    {.right = below});
  }
  const auto roots = WorldImage(image_).roots();
  ASSERT_TRUE(roots.ok()) << roots.error().message;
  EXPECT_EQ(roots->size(), kDepth);
}

// Whatever is overwritten, an answer or an error comes back.
TEST_F(WorldImageTest, RandomDamageIsAnsweredOrRefused) {
  std::mt19937_64 random(testing::seed());
  image_.put_table(kFirst, 2);
  image_.put_thread(kFirst, kSecond, 1, "a");
  image_.put_thread(kSecond, 0, 2, "b");
  image_.put_top_root(kThird);
  image_.put_root(kThird, "bank", kHeapAddress, {.children = kThird + 256}, 9);
  image_.put_root(kThird + 256, "north", kHeapAddress, {}, 9);
  image_.put_type(9, kHeapAddress + 0x20000, "int");
  int refused = 0;
  for (int round = 0; round < 4'000; ++round) {
    FakeImage damaged = image_;
    for (int flips = 0; flips < 20; ++flips) {
      auto page = damaged.pages().begin();
      std::advance(page, static_cast<long>(random() % damaged.pages().size()));
      page->second[random() % 512] = static_cast<char>(random());
    }
    if (!WorldImage(damaged).threads().ok()) ++refused;
    if (!WorldImage(damaged).roots().ok()) ++refused;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace revenant::cli
