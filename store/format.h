// The bytes of every record in a store; nothing else knows them. docs/store-format.md says it in
// prose and tables.
//
//   identity            IdentityBytes, one small file
//   data.mdb: images    integer key -> the first 4080 bytes of a page (its last 16 are in the
//                       reference: a value of 4096 bytes would take two LMDB pages)
//             nodes     integer key -> NodeHeader, then one reference for each bit of its bitmap
//             catalog   byte keys (key_* below) -> a record and its seal
//
// I1  Little endian; every struct is copied in and out as it lies, without padding.
// I2  No value is longer than kLongestValue: each then takes at most one LMDB page.
// I3  Every catalog value ends with a seal: XXH3-128 over the record, seeded with its key's hash,
//     so that a record under another's key is refused too.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/units.h"
#include "store/hash.h"
#include "store/snapshot_record.h"

namespace revenant::store {

static_assert(std::endian::native == std::endian::little);  // I1

inline constexpr std::uint32_t kFormatVersion = 2;
inline constexpr std::size_t kLongestValue = 4080;  // I2: an LMDB page less its header
inline constexpr std::size_t kImageValueSize = kLongestValue;
inline constexpr std::size_t kImageTailSize = base::kPageSize - kImageValueSize;

// How a reference's hash was made, and how its value is encoded.
enum class Algorithm : std::uint8_t { kNone = 0, kXxh3Whole = 1 };

// Births and keys are 48 bits wide: at a thousand snapshots a second, 8,900 years.
inline constexpr unsigned kBirthBits = 48;
inline constexpr std::uint64_t kBirthMask = (1ull << kBirthBits) - 1;

[[nodiscard]] constexpr std::uint64_t pack_birth(base::Epoch birth, std::uint8_t kind) {
  return birth.value | (static_cast<std::uint64_t>(kind) << kBirthBits);
}

struct NodeReference {
  std::uint64_t birth_and_algorithm = 0;  // 0: refers to nothing
  std::uint64_t key = 0;
  ContentHash hash;

  [[nodiscard]] bool present() const { return birth_and_algorithm != 0; }
  [[nodiscard]] base::Epoch birth() const { return {birth_and_algorithm & kBirthMask}; }
  [[nodiscard]] Algorithm algorithm() const {
    return static_cast<Algorithm>(birth_and_algorithm >> kBirthBits);
  }
  bool operator==(const NodeReference&) const = default;
};
static_assert(sizeof(NodeReference) == 32 && offsetof(NodeReference, hash) == 16);

struct ImageReference {
  std::uint64_t birth_and_algorithm = 0;
  std::uint64_t key = 0;
  ContentHash hash;  // of the whole page
  std::array<std::byte, kImageTailSize> tail{};

  [[nodiscard]] bool present() const { return birth_and_algorithm != 0; }
  [[nodiscard]] base::Epoch birth() const { return {birth_and_algorithm & kBirthMask}; }
  [[nodiscard]] Algorithm algorithm() const {
    return static_cast<Algorithm>(birth_and_algorithm >> kBirthBits);
  }
  bool operator==(const ImageReference&) const = default;
};
static_assert(sizeof(ImageReference) == 48 && offsetof(ImageReference, tail) == 32);

// One word before a node's references: the first page of its range, its level, its bitmap.
struct NodeHeader {
  std::uint64_t word = 0;

  static constexpr NodeHeader of(base::PageNumber first, unsigned level, std::uint8_t bitmap) {
    return {first.value | (std::uint64_t{level} << 40) | (std::uint64_t{bitmap} << 48)};
  }
  [[nodiscard]] constexpr base::PageNumber first() const { return {word & ((1ull << 40) - 1)}; }
  [[nodiscard]] constexpr unsigned level() const { return (word >> 40) & 0xFF; }
  [[nodiscard]] constexpr std::uint8_t bitmap() const { return (word >> 48) & 0xFF; }
  [[nodiscard]] constexpr bool known() const { return (word >> 56) == 0; }
};
static_assert(sizeof(NodeHeader) == 8);

enum class DeadKind : std::uint8_t { kImage = 1, kNode = 2 };

// One key that a snapshot's parent refers to and the snapshot does not.
struct DeadEntry {
  std::uint64_t birth_and_kind = 0;
  std::uint64_t key = 0;

  static constexpr DeadEntry of(DeadKind kind, base::Epoch birth, std::uint64_t key) {
    return {pack_birth(birth, static_cast<std::uint8_t>(kind)), key};
  }
  [[nodiscard]] base::Epoch birth() const { return {birth_and_kind & kBirthMask}; }
  [[nodiscard]] DeadKind kind() const {
    return static_cast<DeadKind>(birth_and_kind >> kBirthBits);
  }
};
static_assert(sizeof(DeadEntry) == 16);

using Seal = ContentHash;
// A dead list is cut into values of at most this many entries.
inline constexpr std::size_t kDeadEntriesPerChunk = 250;
static_assert(kDeadEntriesPerChunk * sizeof(DeadEntry) + sizeof(Seal) <= kLongestValue);  // I2

// The catalog's one counter record. A snapshot is committed by the transaction that moves these.
struct StateBytes {
  std::uint64_t next_epoch = 1;
  std::uint64_t next_image = 1;  // images at or beyond it belong to no snapshot
  std::uint64_t next_node = 1;
  std::uint64_t snapshots = 0;  // retained ones
};
static_assert(sizeof(StateBytes) == 32);

// A branch's newest snapshot, with its root: a fault finds both in one lookup.
struct HeadBytes {
  std::uint64_t revision = 0;
  NodeReference root;
};
static_assert(sizeof(HeadBytes) == 40);

inline constexpr std::size_t kLongestName = 255;  // of a branch or a tag

struct SnapshotBytes {
  std::uint64_t revision = 0;
  std::uint64_t parent = 0;
  std::uint64_t generation = 0;
  std::int64_t wall_time_ns = 0;
  NodeReference root;
  std::uint64_t pages_written = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t pages_total = 0;
  std::uint64_t nodes_total = 0;
  std::uint64_t dead_images = 0;  // entries of its dead list, by kind
  std::uint64_t dead_nodes = 0;
  std::uint32_t pause_us = 0;
  std::uint32_t commit_us = 0;
  std::uint32_t threads = 0;
  std::int32_t exit_code = 0;
  BuildId build_id{};
  std::uint8_t finished = 0;
  std::array<std::uint8_t, 2> unused{};
  std::uint8_t branch_size = 0;
  std::array<char, 256> branch{};
};
static_assert(sizeof(SnapshotBytes) == 408 && offsetof(SnapshotBytes, branch) == 152);

struct TagBytes {
  std::uint64_t revision = 0;
};

// The file DIR/identity.
struct IdentityBytes {
  std::array<char, 8> magic{'R', 'E', 'V', 'E', 'N', 'A', 'N', 'T'};
  std::uint32_t format_version = kFormatVersion;
  std::uint32_t program_size = 0;
  StoreId id{};
  std::uint64_t least_data_size = 0;  // of data.mdb; of what was committed in it
  std::uint64_t generation = 0;
  std::uint64_t features = 0;
  std::uint32_t machine = 0;
  std::uint32_t unused = 0;
  std::array<char, 256> program{};
  ContentHash seal;  // of all bytes before it
};
static_assert(sizeof(IdentityBytes) == 336 && offsetof(IdentityBytes, seal) == 320);

// What stands behind LMDB's meta in the same page, where LMDB neither reads nor writes.
struct MetaSealBytes {
  std::uint64_t transaction = 0;  // of the sealed meta
  ContentHash meta;               // of the page's first kSealedMetaSize bytes
  std::uint64_t check = 0;        // of the bytes before it: a damaged seal counts as none
};
static_assert(sizeof(MetaSealBytes) == 32 && offsetof(MetaSealBytes, check) == 24);
inline constexpr std::size_t kSealedMetaSize = 152;
inline constexpr std::size_t kMetaSealAt = 2048;

// Catalog keys: one letter, then big-endian numbers, so that byte order is number order.
class CatalogKey {
 public:
  static CatalogKey state() { return CatalogKey('S'); }
  static CatalogKey head(std::string_view branch) { return CatalogKey('h').add(branch); }
  static CatalogKey snapshot(base::Epoch revision) { return CatalogKey('s').add(revision.value); }
  static CatalogKey tag(std::string_view name) { return CatalogKey('t').add(name); }
  // Owner kNoEpoch: what nothing refers to any more and waits to be freed.
  static CatalogKey dead(base::Epoch owner, std::uint64_t chunk) {
    return CatalogKey('d').add(owner.value).add(chunk);
  }

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(text_.data(), size_));
  }

 private:
  explicit CatalogKey(char letter) { text_[size_++] = letter; }
  CatalogKey& add(std::string_view name) {
    const std::size_t size = std::min(name.size(), kLongestName);
    std::memcpy(text_.data() + size_, name.data(), size);
    size_ += size;
    return *this;
  }
  CatalogKey& add(std::uint64_t number) {
    const std::uint64_t big_endian = __builtin_bswap64(number);
    std::memcpy(text_.data() + size_, &big_endian, sizeof big_endian);
    size_ += sizeof big_endian;
    return *this;
  }

  std::array<char, kLongestName + 1> text_{};
  std::size_t size_ = 0;
};

// The number at `offset` of a catalog key's bytes.
[[nodiscard]] inline std::uint64_t key_number(std::span<const std::byte> key, std::size_t offset) {
  std::uint64_t big_endian = 0;
  if (key.size() >= offset + sizeof big_endian) {
    std::memcpy(&big_endian, key.data() + offset, sizeof big_endian);
  }
  return __builtin_bswap64(big_endian);
}

// The seal of a catalog record under its key (I3).
[[nodiscard]] Seal seal_of(std::span<const std::byte> key,
                           std::span<const std::byte> record) noexcept;

// The record inside a sealed value, or nothing if the seal does not fit.
[[nodiscard]] std::optional<std::span<const std::byte>> unseal(
    std::span<const std::byte> key, std::span<const std::byte> value) noexcept;

[[nodiscard]] SnapshotRecord to_record(const SnapshotBytes& bytes);

}  // namespace revenant::store
