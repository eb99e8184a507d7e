// Every bit that LMDB believes in a page's header and offsets is missed when it is another.
#include "store/lmdb_structure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "store/store.h"
#include "tests/store/data_file.h"
#include "tests/store/page_model.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant::store {
namespace {

using ::testing::HasSubstr;

class LmdbStructure : public ::testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(testing::seed());
    auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok());
    for (int epoch = 0; epoch < 12; ++epoch) {
      EpochWriter& writer = (*store)->begin_epoch();
      for (const Change& change : random_changes(random, 60)) {
        ASSERT_TRUE(apply(change, writer).ok());
      }
      ASSERT_TRUE(writer.commit({}).ok());
      ASSERT_TRUE((*store)->reclaim_some({.last = 4, .batch = 2}).ok());
    }
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
};

TEST_F(LmdbStructure, OfAWholeStoreIsWell) {
  const DataFile data(path_);
  for (const auto extent :
       {StructureExtent::kSpine, StructureExtent::kTrees, StructureExtent::kPages}) {
    const auto verdict = data.check(extent);
    EXPECT_TRUE(verdict.checked);
    EXPECT_EQ(verdict.finding, std::nullopt);
  }
  // A commit later, this one is in the meta pages no more.
  ASSERT_TRUE(commit_a_page(*Store::open(small_options(path_)).value(), 1).ok());
  ASSERT_TRUE(commit_a_page(*Store::open(small_options(path_)).value(), 2).ok());
  EXPECT_FALSE(data.check(StructureExtent::kPages).checked);
}

TEST_F(LmdbStructure, AFlippedBitInAHeaderOrAnOffsetIsFound) {
  constexpr std::uint64_t kPadFrom = 8;
  constexpr std::uint64_t kPadTo = 10;
  const DataFile data(path_);
  const auto used = data.check(StructureExtent::kPages).used;
  std::mt19937_64 random(testing::seed());
  std::uint64_t flipped = 0;
  for (std::uint64_t page = 2; page < used.size(); ++page) {
    const std::uint64_t start = page * kLmdbPageSize;
    if (!used[page]) continue;
    const auto header = data.read<LmdbPageHeader>(start);
    const bool tree = header.flags == kLmdbBranch || header.flags == kLmdbLeaf;
    const std::uint64_t end = tree ? header.lower : std::uint64_t{kLmdbHeaderSize};
    for (std::uint64_t at = 0; at < end; ++at) {
      if (at >= kPadFrom && at < kPadTo) continue;
      const auto byte = data.read<unsigned char>(start + at);
      const unsigned bit = random() % 8;
      data.write(start + at, static_cast<unsigned char>(byte ^ 1u << bit));
      EXPECT_NE(data.check(StructureExtent::kPages).finding, std::nullopt)
          << "page " << page << ", byte " << at << ", bit " << bit;
      data.write(start + at, byte);
      ++flipped;
    }
  }
  EXPECT_GT(flipped, 500u);
}

TEST_F(LmdbStructure, ATreeThatLeadsToItselfIsFound) {
  const DataFile data(path_);
  auto meta = data.newest();
  meta.main.root = meta.free_list.root;
  data.write(meta.transaction % 2 * kLmdbPageSize + kLmdbHeaderSize, meta);
  const auto verdict = data.check(StructureExtent::kSpine);
  ASSERT_NE(verdict.finding, std::nullopt);
  EXPECT_THAT(*verdict.finding, HasSubstr("of its data.mdb"));
}

// Not before LMDB has been asked: it would have believed it.
TEST_F(LmdbStructure, ADamagedStoreIsRefusedAndNamed) {
  const DataFile data(path_);
  const auto root = data.newest().main.root;
  auto header = data.read<LmdbPageHeader>(root * kLmdbPageSize);
  header.upper = 4094;
  data.write(root * kLmdbPageSize, header);
  const auto opened = Store::open(small_options(path_));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, base::ErrorCode::kStoreDamaged);
  EXPECT_THAT(opened.error().message, HasSubstr("page " + std::to_string(root) +
                                                " of its data.mdb has nodes that do not "
                                                "fit it; run `revenant verify` on it"));
  const auto verified = StoreReader::open(path_, ReadPurpose::kVerify);
  ASSERT_FALSE(verified.ok());
  EXPECT_THAT(verified.error().message, HasSubstr("fit it; restore it from a copy"));
}

// The start sees of the images no more than it needs. What it counts lies elsewhere.
TEST_F(LmdbStructure, NothingIsWrittenOverAnImageThatTheFreeListNames) {
  {  // more images than one leaf names: the spine has the root, and all that a root names
    auto store = Store::open(small_options(path_));
    EpochWriter& writer = (*store)->begin_epoch();
    for (std::uint64_t i = 0; i < 400; ++i) {
      ASSERT_TRUE(apply({.run = {base::PageNumber{1000 + i}, {1}}, .stamp = i}, writer).ok());
    }
    ASSERT_TRUE(writer.commit({}).ok());
  }
  const DataFile data(path_);
  data.free_an_image_in_use();
  const std::string damaged = data.contents();
  for (int start = 1; start <= 2; ++start) {
    auto store = Store::open(small_options(path_));
    ASSERT_TRUE(store.ok()) << store.error().message;
    const auto generation = (*store)->begin_generation();
    ASSERT_TRUE(generation.ok()) << generation.error().message;
    EXPECT_EQ(*generation, start);
    const auto committed = commit_a_page(**store, 1);
    ASSERT_FALSE(committed.ok());
    EXPECT_EQ(committed.error().code, base::ErrorCode::kStoreDamaged);
    EXPECT_THAT(committed.error().message, HasSubstr("of its data.mdb is referred to twice"));
    const auto tagged = (*store)->tag("a", (*store)->head()->revision);
    ASSERT_FALSE(tagged.ok());
    EXPECT_EQ(tagged.error().code, base::ErrorCode::kStoreDamaged);
    store->reset();
    ASSERT_EQ(data.contents(), damaged);
  }
}

}  // namespace
}  // namespace revenant::store
