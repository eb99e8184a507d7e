#include "objects/types.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory_resource>
#include <optional>

#include "objects/heap.h"
#include "objects/type_closure.h"
#include "tests/objects/plain_space.h"

namespace shop {

struct Price {
  int cents;
  char currency[4];
};
struct Article {
  virtual ~Article() = default;
  std::string name;
  Price price{};
  std::vector<Article> parts;
  Article* replaces = nullptr;
};
struct Empty {};
struct Chain {
  int value;
  Chain* next;
};
struct Plain {
  char text[8];
  const Plain* next;
  std::array<double, 2> place;
};
struct Hook {
  int id;
  int (*call)(int);
};
struct HooksInside {
  char name[4];
  std::array<Hook, 2> hooks;
};
struct DescribedHook {
  Hook hook;
};
struct MoreThanAPrice : Price {
  std::string note;
};
struct Opaque {
  std::function<void()> call;
};
struct Wide {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2,
      c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5,
      e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3;
};
REVENANT_DESCRIBE(Price, cents, currency);
REVENANT_DESCRIBE(Article, name, price, parts, replaces);
REVENANT_DESCRIBE(Chain, value, next)
REVENANT_DESCRIBE(DescribedHook, hook)
REVENANT_DESCRIBE(Empty)  // without a semicolon
REVENANT_DESCRIBE(Wide, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8,
                  b9, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8,
                  d9, e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8,
                  f9, g0, g1, g2, g3);

}  // namespace shop

namespace revenant::objects {
namespace {

TEST(SurvivesUpgrade, WhatIsDescribedAllTheWayDown) {
  EXPECT_TRUE(survives_upgrade<int>());
  EXPECT_TRUE(survives_upgrade<shop::Price>());
  EXPECT_TRUE(survives_upgrade<shop::Price*>());
  EXPECT_TRUE((survives_upgrade<std::map<std::string, std::vector<std::optional<shop::Price>>>>()));
  EXPECT_TRUE((survives_upgrade<std::variant<int, std::unique_ptr<shop::Price>>>()));
  EXPECT_TRUE((survives_upgrade<std::pair<const int, std::array<double, 3>>>()));
  EXPECT_TRUE(survives_upgrade<shop::Chain>());
  EXPECT_TRUE(survives_upgrade<shop::Plain>());
}

TEST(SurvivesUpgrade, NothingThatLeadsToCode) {
  EXPECT_FALSE(survives_upgrade<std::function<void()>>());
  EXPECT_FALSE(survives_upgrade<void (*)(int)>());
  EXPECT_FALSE(survives_upgrade<int shop::Price::*>());
  EXPECT_FALSE(survives_upgrade<shop::Article>());
  EXPECT_FALSE(survives_upgrade<std::vector<shop::Article*>>());
  EXPECT_FALSE(survives_upgrade<std::shared_ptr<int>>());
  EXPECT_FALSE(survives_upgrade<std::vector<std::weak_ptr<int>>>());
  EXPECT_FALSE((survives_upgrade<std::map<int, int, bool (*)(int, int)>>()));
  EXPECT_FALSE(survives_upgrade<std::pmr::vector<int>>());
  EXPECT_FALSE(survives_upgrade<shop::Hook>());
  EXPECT_FALSE(survives_upgrade<shop::HooksInside>());
  EXPECT_FALSE(survives_upgrade<shop::DescribedHook>());
}

TEST(SurvivesUpgrade, NothingThatIsNotDescribed) {
  EXPECT_FALSE(survives_upgrade<shop::Opaque>());
  EXPECT_FALSE(survives_upgrade<std::vector<shop::Opaque>>());
  EXPECT_FALSE(survives_upgrade<shop::Opaque*>());
  EXPECT_FALSE(survives_upgrade<void*>());
  EXPECT_FALSE(survives_upgrade<shop::MoreThanAPrice>());
}

TEST(Describe, NamesOffsetsAndSizes) {
  const type_description& article = describe<shop::Article>();
  EXPECT_EQ(article.kind, type_kind::record);
  EXPECT_EQ(article.readable_name, "shop::Article");
  EXPECT_EQ(article.size, sizeof(shop::Article));
  EXPECT_TRUE(article.flags & type_is_polymorphic);
  ASSERT_EQ(article.members.size(), 4u);
  shop::Article object;
  const auto offset = [&object](const auto& member) {
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&member) -
                                    reinterpret_cast<const std::byte*>(&object));
  };
  EXPECT_STREQ(article.members[1].name, "price");
  EXPECT_EQ(article.members[1].offset, offset(object.price));
  EXPECT_EQ(article.members[3].offset, offset(object.replaces));
  EXPECT_EQ(&article.members[2].type().arguments[0](), &article);
  EXPECT_EQ(describe<shop::Empty>().members.size(), 0u);
  EXPECT_EQ(describe<shop::Wide>().members.size(), 64u);
  EXPECT_EQ(describe<shop::Wide>().members[63].offset, offsetof(shop::Wide, g3));
}

TEST(Describe, KindsOfWhatNeedsNoDescription) {
  enum class Colour : short {};
  EXPECT_EQ(describe<bool>().kind, type_kind::boolean);
  EXPECT_EQ(describe<Colour>().arguments[0]().size, sizeof(short));
  EXPECT_EQ(describe<const std::string>().kind, type_kind::string);
  EXPECT_EQ((describe<std::unordered_map<int, float>>().arguments.size()), 2u);
  EXPECT_EQ(describe<std::weak_ptr<int>>().kind, type_kind::smart_pointer);
  EXPECT_EQ(describe<int[3][4]>().arguments[0]().size, 16u);
  EXPECT_EQ(describe<void*>().kind, type_kind::pointer);
  EXPECT_EQ((describe<std::tuple<int, char>>().kind), type_kind::tuple);
  EXPECT_EQ(describe<shop::Opaque>().kind, type_kind::opaque);
}

class TypesTest : public ::testing::Test {
 protected:
  TypesTest() { attach(); }
  void attach() {
    types_.reset();
    heap_.reset();
    heap_.emplace(space_.world(), pages_, 1);
    types_.emplace(space_.world(), *heap_);
  }

  PlainSpace space_;
  FakePages pages_;
  std::optional<Heap> heap_;
  std::optional<Types> types_;
};

TEST_F(TypesTest, IdsStayTheSameOverRestarts) {
  const TypeId article = types_->register_type<shop::Article>();
  const TypeId number = types_->register_type<int>();
  EXPECT_NE(article, number);
  attach();
  EXPECT_EQ(types_->register_type<int>(), number);
  EXPECT_EQ(types_->register_type<shop::Article>(), article);
  const TypeRecord* record = types_->find(article);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->readable.view(), "shop::Article");
  ASSERT_EQ(record->member_count, 4u);
  EXPECT_EQ(record->members[0].name.view(), "name");
  const TypeRecord* parts = types_->find(record->members[2].type);
  EXPECT_EQ(parts->arguments[0], article);
  EXPECT_EQ(types_->find_by_name(typeid(shop::Article).name()), record);
  EXPECT_EQ(types_->find(kUnknownType), nullptr);
  EXPECT_EQ(types_->find(9999), nullptr);
}

TEST_F(TypesTest, AnotherLayoutUnderTheNameIsAnotherType) {
  type_description changed = describe<shop::Price>();
  const TypeId before = types_->register_type(changed);
  changed.size += 4;
  const TypeId after = types_->register_type(changed);
  EXPECT_NE(before, after);
  EXPECT_EQ(types_->find_by_name(typeid(shop::Price).name())->id, after);
  const std::string sentence = types_->describe_mismatch("prices/tea", before, after);
  EXPECT_NE(sentence.find("root \"prices/tea\" holds shop::Price"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("8 bytes there, 12 here"), std::string::npos) << sentence;
}

// As another build may describe what this one calls shop::Price.
const type_description& changed_price() {
  static const type_description changed = [] {
    type_description made = describe<shop::Price>();
    made.size += 4;
    return made;
  }();
  return changed;
}

TEST_F(TypesTest, AnotherLayoutInsideIsAnotherType) {
  static constexpr std::array<type_reference, 1> kChanged{&changed_price};
  const TypeId before = types_->register_type<std::vector<shop::Price>>();
  type_description list = describe<std::vector<shop::Price>>();
  list.arguments = kChanged;
  const TypeId after = types_->register_type(list);
  EXPECT_NE(before, after);
  const std::string sentence = types_->describe_mismatch("prices", before, after);
  EXPECT_NE(sentence.find("holds std::vector<shop::Price"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("laid shop::Price out otherwise (8 bytes there, 12 here)"),
            std::string::npos)
      << sentence;
}

TEST_F(TypesTest, AMismatchNamesBoth) {
  const std::string sentence = types_->describe_mismatch("x", types_->register_type<shop::Price>(),
                                                         types_->register_type<std::string>());
  EXPECT_NE(sentence.find("holds shop::Price, not std::"), std::string::npos) << sentence;
}

TEST_F(TypesTest, ManyTypesAreListedInOrder) {
  std::vector<std::string> names(1000);
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = "T" + std::to_string(i);
    type_description made = describe<shop::Opaque>();
    made.identity = nullptr;
    made.readable_name = names[i];
    types_->register_type(made);
  }
  TypeId last = 0;
  types_->for_each([&](const TypeRecord& record) {
    EXPECT_EQ(record.id, ++last);
    EXPECT_EQ(record.readable.view(), names[record.id - 1]);
  });
  EXPECT_EQ(last, names.size());
}

}  // namespace
}  // namespace revenant::objects
