// The bytes of the format, spelled out: whoever changes them must change its version.
#include "store/format.h"

#include <gtest/gtest.h>

#include <string>

#include "store/tree_node.h"

namespace revenant::store {
namespace {

std::string hex(std::span<const std::byte> bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

template <class T>
std::string hex_of(const T& record) {
  return hex(std::as_bytes(std::span(&record, 1)));
}

constexpr ContentHash kHash{0x1122334455667788, 0x99AABBCCDDEEFF00};

TEST(FormatGolden, References) {
  const NodeReference node{pack_birth({0x0102}, 1), 0x0304, kHash};
  EXPECT_EQ(hex_of(node), "02010000000001000403000000000000887766554433221100ffeeddccbbaa99");
  EXPECT_EQ(node.birth(), base::Epoch{0x0102});
  EXPECT_EQ(node.algorithm(), Algorithm::kXxh3Whole);
  ImageReference image{pack_birth({0x0102}, 1), 0x0304, kHash, {}};
  image.tail.fill(std::byte{0xEE});
  EXPECT_EQ(hex_of(image), hex_of(node) + "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
}

TEST(FormatGolden, DeadEntries) {
  EXPECT_EQ(hex_of(DeadEntry::of(DeadKind::kImage, {5}, 6)), "05000000000001000600000000000000");
  EXPECT_EQ(hex_of(DeadEntry::of(DeadKind::kNode, {5}, 6)), "05000000000002000600000000000000");
}

TEST(FormatGolden, Nodes) {
  NodeDraft leaf{.range = {{0x560000000}, 0}};
  leaf.images[1] = {pack_birth({1}, 1), 2, kHash, {}};
  std::array<std::byte, kLongestNode> bytes;
  EXPECT_EQ(hex(leaf.encode(bytes)), "0000006005000200" + hex_of(leaf.images[1]));
  NodeDraft inner{.range = {{0x560000000}, 3}};
  inner.children[0] = inner.children[7] = {pack_birth({1}, 1), 2, kHash};
  EXPECT_EQ(hex(inner.encode(bytes)),
            "0000006005038100" + hex_of(inner.children[0]) + hex_of(inner.children[7]));
}

TEST(FormatGolden, CatalogKeys) {
  EXPECT_EQ(hex(CatalogKey::state().bytes()), "53");
  EXPECT_EQ(hex(CatalogKey::head("main").bytes()), "686d61696e");
  EXPECT_EQ(hex(CatalogKey::snapshot({0x0102}).bytes()), "730000000000000102");
  EXPECT_EQ(hex(CatalogKey::tag("a").bytes()), "7461");
  EXPECT_EQ(hex(CatalogKey::dead({1}, 2).bytes()), "6400000000000000010000000000000002");
}

TEST(FormatGolden, HeadsAndTags) {
  const NodeReference root{pack_birth({0x0102}, 1), 0x0304, kHash};
  EXPECT_EQ(hex_of(HeadBytes{0x0506, root}), "0605000000000000" + hex_of(root));
  EXPECT_EQ(hex_of(TagBytes{0x0506}), "0605000000000000");
}

TEST(FormatGolden, Snapshots) {
  SnapshotBytes snapshot{.revision = 1,
                         .parent = 2,
                         .generation = 3,
                         .wall_time_ns = 4,
                         .root = {pack_birth({0x0102}, 1), 0x0304, kHash},
                         .pages_written = 5,
                         .bytes_written = 6,
                         .pages_total = 7,
                         .nodes_total = 8,
                         .dead_images = 9,
                         .dead_nodes = 10,
                         .pause_us = 11,
                         .commit_us = 12,
                         .threads = 13,
                         .exit_code = -2,
                         .finished = 1,
                         .branch_size = 4,
                         .branch = {'m', 'a', 'i', 'n'}};
  snapshot.build_id.fill(0xBB);
  const std::string expected =
      "0100000000000000020000000000000003000000000000000400000000000000" + hex_of(snapshot.root) +
      "050000000000000006000000000000000700000000000000080000000000000009000000000000000a"
      "00000000000000"
      "0b0000000c0000000d000000feffffff"
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb01000004"
      "6d61696e" +
      std::string(std::size_t{252} * 2, '0');
  EXPECT_EQ(hex_of(snapshot), expected);
}

TEST(FormatGolden, MetaSeals) {
  EXPECT_EQ(hex_of(MetaSealBytes{.transaction = 0x0102, .meta = kHash, .check = 0x0304}),
            "0201000000000000887766554433221100ffeeddccbbaa990403000000000000");
}

TEST(FormatGolden, RecordsAndSeals) {
  const StateBytes state{1, 2, 3, 4};
  const auto record = std::as_bytes(std::span(&state, 1));
  EXPECT_EQ(hex(record), "0100000000000000020000000000000003000000000000000400000000000000");
  const CatalogKey key = CatalogKey::state();
  EXPECT_EQ(hex_of(seal_of(key.bytes(), record)), "cd4c8c7cbbc10475ab0cb13fa7222ce0");
}

TEST(FormatGolden, Identities) {
  IdentityBytes identity{.program_size = 3,
                         .least_data_size = 0x0102,
                         .generation = 0x0304,
                         .features = 0x0506,
                         .machine = 62,
                         .seal = kHash};
  identity.id.fill(0xBB);
  identity.program = {'a', 'p', 'p'};
  EXPECT_EQ(hex_of(identity),
            "524556454e414e540200000003000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
            "020100000000000004030000000000000605000000000000"
            "3e00000000000000617070" +
                std::string(std::size_t{253} * 2, '0') + "887766554433221100ffeeddccbbaa99");
}

TEST(Format, ASealFitsOneKeyAndOneRecord) {
  const TagBytes tag{7};
  const auto record = std::as_bytes(std::span(&tag, 1));
  const CatalogKey key = CatalogKey::tag("a");
  const Seal seal = seal_of(key.bytes(), record);
  std::array<std::byte, sizeof tag + sizeof seal> value;
  std::memcpy(value.data(), &tag, sizeof tag);
  std::memcpy(value.data() + sizeof tag, &seal, sizeof seal);
  EXPECT_TRUE(unseal(key.bytes(), value));
  EXPECT_FALSE(unseal(CatalogKey::tag("b").bytes(), value));
  EXPECT_FALSE(unseal(key.bytes(), std::span(value).first(3)));
  for (std::byte& byte : value) {
    byte ^= std::byte{1};
    EXPECT_FALSE(unseal(key.bytes(), value));
    byte ^= std::byte{1};
  }
}

TEST(Format, NodesRefuseOtherShapes) {
  NodeDraft leaf{.range = {{64}, 0}};
  leaf.images[3] = {pack_birth({1}, 1), 2, kHash, {}};
  std::array<std::byte, kLongestNode> buffer;
  const auto bytes = leaf.encode(buffer);
  EXPECT_TRUE(NodeView(bytes).well_formed());
  EXPECT_FALSE(NodeView(bytes.first(bytes.size() - 1)).well_formed());
  EXPECT_FALSE(NodeView(bytes.first(4)).well_formed());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    std::array<std::byte, kLongestNode> changed = buffer;
    changed[at] = static_cast<std::byte>(value);
    return NodeView(std::span(changed).first(bytes.size())).well_formed();
  };
  EXPECT_FALSE(with(0, 65));  // not aligned
  EXPECT_FALSE(with(5, 40));  // no such level
  EXPECT_FALSE(with(6, 0));   // empty
  EXPECT_FALSE(with(6, 3));   // shorter than its bitmap
  EXPECT_FALSE(with(7, 1));   // a later format's bits
}

TEST(TreeNode, RangesJoinAndCover) {
  const NodeRange leaf = NodeRange::joining({9}, {15});
  EXPECT_EQ(leaf.level, 0u);
  EXPECT_EQ(leaf.first, base::PageNumber{8});
  EXPECT_TRUE(leaf.covers({8}));
  EXPECT_FALSE(leaf.covers({16}));
  const NodeRange wide = NodeRange::joining({0}, {(1ull << 36) - 1});
  EXPECT_EQ(wide.level, kLevels - 1);
  EXPECT_EQ(wide.slot_of({(1ull << 36) - 1}), kFanOut - 1);
  EXPECT_EQ(wide.run(), (base::PageRun{{0}, {1ull << 36}}));
}

}  // namespace
}  // namespace revenant::store
