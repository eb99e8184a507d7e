#include "base/intrusive_list.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <deque>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace revenant::base {
namespace {

struct Item {
  explicit Item(int number) : number(number) {}
  virtual ~Item() = default;  // lists must not mind a vtable, or hooks that lie anywhere

  int number;
  ListHook by_age;
  ListHook by_size;
};
using AgeList = IntrusiveList<Item, &Item::by_age>;
using SizeList = IntrusiveList<Item, &Item::by_size>;

std::vector<int> numbers(AgeList& list) {
  list.check_invariants();
  std::vector<int> found;
  for (const Item& item : list) found.push_back(item.number);
  return found;
}

TEST(IntrusiveList, KeepsOrder) {
  Item one(1), two(2), three(3), four(4);
  AgeList list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  list.push_back(two);
  list.push_back(four);
  list.push_front(one);
  list.insert_before(four, three);
  EXPECT_EQ(numbers(list), (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(list.front(), &one);
  EXPECT_EQ(list.back(), &four);
  EXPECT_EQ(list.next(one), &two);
  EXPECT_EQ(list.next(four), nullptr);
}

TEST(IntrusiveList, ErasesAtBothEndsAndBetween) {
  std::deque<Item> items;
  AgeList list;
  for (int i = 0; i < 5; ++i) list.push_back(items.emplace_back(i));
  list.erase(items[0]);
  list.erase(items[4]);
  list.erase(items[2]);
  EXPECT_EQ(numbers(list), (std::vector{1, 3}));
  EXPECT_FALSE(items[2].by_age.linked());
  list.push_back(items[2]);
  EXPECT_EQ(list.pop_front(), &items[1]);
  EXPECT_EQ(list.pop_front(), &items[3]);
  EXPECT_EQ(list.pop_front(), &items[2]);
  EXPECT_EQ(list.pop_front(), nullptr);
  EXPECT_EQ(numbers(list), std::vector<int>{});
}

TEST(IntrusiveList, AnElementIsOnOneListByEachHook) {
  Item item(1);
  AgeList ages, other_ages;
  SizeList sizes;
  ages.push_back(item);
  sizes.push_back(item);
  EXPECT_TRUE(ages.contains(item));
  EXPECT_FALSE(other_ages.contains(item));
  ages.erase(item);
  EXPECT_TRUE(sizes.contains(item));
  EXPECT_EQ(sizes.size(), 1U);
}

TEST(IntrusiveList, ACopyOfAnElementIsOnNoList) {
  Item item(1);
  AgeList list;
  list.push_back(item);
  Item copy(item);
  EXPECT_FALSE(copy.by_age.linked());
  list.push_back(copy);
  EXPECT_EQ(numbers(list), (std::vector{1, 1}));
}

// A list in a mapping that goes away and comes back at its address, as the space does at a restart.
TEST(IntrusiveList, MeansTheSameInAnotherMappingOfItsBytes) {
  struct Persistent {
    AgeList list;
    std::array<Item, 3> items{Item(1), Item(2), Item(3)};
  };
  const auto map = [](void* where, int fixed) {
    return ::mmap(where, sizeof(Persistent), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
  };
  void* const place = map(nullptr, 0);
  ASSERT_NE(place, MAP_FAILED);
  auto* persistent = new (place) Persistent;
  for (Item& item : persistent->items) persistent->list.push_front(item);
  const std::vector<std::byte> image(static_cast<std::byte*>(place),
                                     static_cast<std::byte*>(place) + sizeof(Persistent));
  ASSERT_EQ(map(place, MAP_FIXED), place);
  std::copy(image.begin(), image.end(), static_cast<std::byte*>(place));
  EXPECT_EQ(numbers(persistent->list), (std::vector{3, 2, 1}));
  persistent->list.erase(persistent->items[1]);
  EXPECT_EQ(numbers(persistent->list), (std::vector{3, 1}));
  ::munmap(place, sizeof(Persistent));
}

TEST(IntrusiveList, ForgottenHooksCanJoinANewList) {
  Item item(1);
  auto old_list = std::make_unique<AgeList>();
  old_list->push_back(item);
  old_list.reset();  // as a list of an earlier process: gone, without a word to its elements
  item.by_age.forget();
  AgeList list;
  list.push_back(item);
  EXPECT_EQ(numbers(list), std::vector{1});
}

// Against a deque, by random operations.
TEST(IntrusiveList, AgreesWithADeque) {
  std::mt19937_64 random(testing::seed());
  std::deque<Item> items;
  for (int i = 0; i < 40; ++i) items.emplace_back(i);
  AgeList list;
  std::deque<int> oracle;
  for (int step = 0; step < 5000; ++step) {
    Item& item = items[random() % items.size()];
    if (item.by_age.linked()) {
      list.erase(item);
      std::erase(oracle, item.number);
    } else if (random() % 3 == 0 && !oracle.empty()) {
      const std::size_t at = random() % oracle.size();
      list.insert_before(items[static_cast<std::size_t>(oracle[at])], item);
      oracle.insert(oracle.begin() + static_cast<std::ptrdiff_t>(at), item.number);
    } else if (random() % 2 == 0) {
      list.push_back(item);
      oracle.push_back(item.number);
    } else {
      list.push_front(item);
      oracle.push_front(item.number);
    }
    ASSERT_EQ(numbers(list), std::vector<int>(oracle.begin(), oracle.end())) << "step " << step;
    ASSERT_EQ(list.size(), oracle.size());
  }
}

#ifndef NDEBUG
TEST(IntrusiveListDeathTest, AnElementCannotJoinTwice) {
  Item item(1);
  AgeList list, other;
  list.push_back(item);
  EXPECT_DEATH(list.push_back(item), "check failed: !hook.linked()");
  EXPECT_DEATH(other.push_front(item), "check failed: !hook.linked()");
}

TEST(IntrusiveListDeathTest, AnElementLeavesOnlyItsOwnList) {
  Item item(1);
  AgeList list, other;
  EXPECT_DEATH(list.erase(item), "check failed: contains");
  list.push_back(item);
  EXPECT_DEATH(other.erase(item), "check failed: contains");
  EXPECT_DEATH(other.next(item), "check failed: contains");
}
#endif

TEST(IntrusiveListDeathTest, TheCheckSeesAnElementThatLeftInSilence) {
  Item one(1), two(2);
  AgeList list;
  list.push_back(one);
  list.push_back(two);
  two.by_age.forget();
  EXPECT_DEATH(list.check_invariants(), "element 1 of a list is on another");
}

}  // namespace
}  // namespace revenant::base
