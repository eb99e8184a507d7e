// Every bit that LMDB believes in a page's header and offsets is missed when it is another.
#include "store/lmdb_structure.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "store/files.h"
#include "store/lmdb_layout.h"
#include "store/store.h"
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
    store->reset();
    file_ = FileDescriptor(::open((path_ / "data.mdb").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(file_.valid());
    for (std::uint64_t page = 0; page < 2; ++page) {
      const auto meta = read<LmdbMeta>(page * kLmdbPageSize + kLmdbHeaderSize);
      if (meta.transaction > newest_.transaction) newest_ = meta;
    }
  }

  template <class T>
  T read(std::uint64_t at) const {
    T value;
    EXPECT_EQ(::pread(file_.get(), &value, sizeof value, static_cast<off_t>(at)),
              static_cast<ssize_t>(sizeof value));
    return value;
  }
  template <class T>
  void write(std::uint64_t at, const T& value) const {
    EXPECT_EQ(::pwrite(file_.get(), &value, sizeof value, static_cast<off_t>(at)),
              static_cast<ssize_t>(sizeof value));
  }
  StructureVerdict check(StructureExtent extent) const {
    return check_lmdb_structure(file_.get(), newest_.transaction, extent);
  }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "store";
  FileDescriptor file_;
  LmdbMeta newest_;
};

TEST_F(LmdbStructure, OfAWholeStoreIsWell) {
  for (const auto extent :
       {StructureExtent::kSpine, StructureExtent::kTrees, StructureExtent::kPages}) {
    const auto verdict = check(extent);
    EXPECT_TRUE(verdict.checked);
    EXPECT_EQ(verdict.finding, std::nullopt);
  }
  EXPECT_FALSE(
      check_lmdb_structure(file_.get(), newest_.transaction + 2, StructureExtent::kPages).checked);
}

TEST_F(LmdbStructure, AFlippedBitInAHeaderOrAnOffsetIsFound) {
  constexpr std::uint64_t kPadFrom = 8;
  constexpr std::uint64_t kPadTo = 10;
  const auto used = check(StructureExtent::kPages).used;
  std::mt19937_64 random(testing::seed());
  std::uint64_t flipped = 0;
  for (std::uint64_t page = 2; page < used.size(); ++page) {
    const std::uint64_t start = page * kLmdbPageSize;
    if (!used[page]) continue;
    const auto header = read<LmdbPageHeader>(start);
    const bool tree = header.flags == kLmdbBranch || header.flags == kLmdbLeaf;
    const std::uint64_t end = tree ? header.lower : std::uint64_t{kLmdbHeaderSize};
    for (std::uint64_t at = 0; at < end; ++at) {
      if (at >= kPadFrom && at < kPadTo) continue;
      const auto byte = read<unsigned char>(start + at);
      const unsigned bit = random() % 8;
      write(start + at, static_cast<unsigned char>(byte ^ 1u << bit));
      EXPECT_NE(check(StructureExtent::kPages).finding, std::nullopt)
          << "page " << page << ", byte " << at << ", bit " << bit;
      write(start + at, byte);
      ++flipped;
    }
  }
  EXPECT_GT(flipped, 500u);
}

TEST_F(LmdbStructure, ATreeThatLeadsToItselfIsFound) {
  auto meta = newest_;
  meta.main.root = meta.free_list.root;
  write(meta.transaction % 2 * kLmdbPageSize + kLmdbHeaderSize, meta);
  const auto verdict = check(StructureExtent::kSpine);
  ASSERT_NE(verdict.finding, std::nullopt);
  EXPECT_THAT(*verdict.finding, HasSubstr("of its data.mdb"));
}

// Not before LMDB has been asked: it would have believed it.
TEST_F(LmdbStructure, ADamagedStoreIsRefusedAndNamed) {
  const auto root = newest_.main.root;
  auto header = read<LmdbPageHeader>(root * kLmdbPageSize);
  header.upper = 4094;
  write(root * kLmdbPageSize, header);
  const auto opened = Store::open(small_options(path_));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, base::ErrorCode::kStoreDamaged);
  EXPECT_THAT(opened.error().message, HasSubstr("page " + std::to_string(root) +
                                                " of its data.mdb has nodes that do not "
                                                "fit it; run `revenant verify` on it"));
}

}  // namespace
}  // namespace revenant::store
