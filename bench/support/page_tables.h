// The tables that bench/vm_map compares, under one face.
//
// Each gives: insert, find (something read from the entry, 0 if there is none), erase, walk. Each
// is made for the number of pages to come, which only those of fixed size look at. What calls find
// has all of it before its eyes, whatever the compiler thinks of its length.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <tbb/concurrent_hash_map.h>

#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/check.h"
#include "vm/vm_map.h"

namespace revenant::bench {

struct VmMapTable {
  explicit VmMapTable(std::size_t) : map(std::make_unique<vm::VmMap>()) {
    REVENANT_CHECK(map->open().ok());
  }
  void insert(std::uint64_t page, const vm::PageEntry& entry) { map->insert({page}, entry); }
  [[nodiscard, gnu::always_inline]] std::uint64_t find(std::uint64_t page) const {
    const auto entry = map->find({page});
    return entry ? entry->words()[0] ^ entry->words()[2] : 0;
  }
  void erase(std::uint64_t page) { map->erase({page}); }
  [[nodiscard]] std::uint64_t walk() const {
    std::uint64_t sum = 0;
    map->for_each([&](base::PageNumber, const vm::PageEntry& entry) { sum += entry.words()[0]; });
    return sum;
  }
  std::unique_ptr<vm::VmMap> map;
};

// A hash table of a library, with the hash it comes with.
template <class Map>
struct LibraryTable {
  explicit LibraryTable(std::size_t) {}
  void insert(std::uint64_t page, const vm::PageEntry& entry) { map.emplace(page, entry); }
  [[nodiscard, gnu::always_inline]] std::uint64_t find(std::uint64_t page) const {
    const auto found = map.find(page);
    return found != map.end() ? found->second.words()[0] ^ found->second.words()[2] : 0;
  }
  void erase(std::uint64_t page) { map.erase(page); }
  [[nodiscard]] std::uint64_t walk() const {
    std::uint64_t sum = 0;
    for (const auto& [page, entry] : map) sum += entry.words()[0];
    return sum;
  }
  Map map;
};
using StdTable = LibraryTable<std::unordered_map<std::uint64_t, vm::PageEntry>>;
using AbslFlatTable = LibraryTable<absl::flat_hash_map<std::uint64_t, vm::PageEntry>>;
using BoostFlatTable = LibraryTable<boost::unordered_flat_map<std::uint64_t, vm::PageEntry>>;

// The finalizer of MurmurHash3. tbb's own hash leaves the low bits of aligned keys all zero, and
// then all of them fall into one bucket.
struct MixingHash {
  static std::size_t hash(std::uint64_t key) {
    key = (key ^ (key >> 33)) * 0xff51afd7ed558ccdull;
    key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53ull;
    return key ^ (key >> 33);
  }
  static bool equal(std::uint64_t a, std::uint64_t b) { return a == b; }
};

class TbbTable {
 public:
  explicit TbbTable(std::size_t) {}
  void insert(std::uint64_t page, const vm::PageEntry& entry) { map_.insert({page, entry}); }
  [[nodiscard, gnu::always_inline]] std::uint64_t find(std::uint64_t page) const {
    Map::const_accessor found;
    if (!map_.find(found, page)) return 0;
    return found->second.words()[0] ^ found->second.words()[2];
  }
  void erase(std::uint64_t page) { map_.erase(page); }
  [[nodiscard]] std::uint64_t walk() const {
    std::uint64_t sum = 0;
    for (const auto& [page, entry] : map_) sum += entry.words()[0];
    return sum;
  }

 private:
  using Map = tbb::concurrent_hash_map<std::uint64_t, vm::PageEntry, MixingHash>;
  Map map_;
};

// What a processor walks: four levels of 512, for 36-bit page numbers.
class RadixTable {
 public:
  explicit RadixTable(std::size_t) {}
  void insert(std::uint64_t page, const vm::PageEntry& entry) {
    void* at = &root_;
    for (unsigned shift = 27; shift > 9; shift -= 9) at = child(at, page >> shift, nodes_);
    (*static_cast<Leaf*>(child(at, page >> 9, leaves_)))[page & 511] = entry.words();
  }
  [[nodiscard, gnu::always_inline]] std::uint64_t find(std::uint64_t page) const {
    const void* at = &root_;
    for (unsigned shift = 27; shift > 0; shift -= 9) {
      at = (*static_cast<const Node*>(at))[(page >> shift) & 511];
      if (at == nullptr) return 0;
    }
    const vm::PageEntry::Words& words = (*static_cast<const Leaf*>(at))[page & 511];
    return words[0] ^ words[2];
  }
  void erase(std::uint64_t page) { insert(page, vm::PageEntry::from_words({})); }
  [[nodiscard]] std::uint64_t walk() const {
    std::uint64_t sum = 0;
    for (const auto& leaf : leaves_) {
      for (const vm::PageEntry::Words& words : *leaf) sum += words[0];
    }
    return sum;
  }

 private:
  using Node = std::array<void*, 512>;
  using Leaf = std::array<vm::PageEntry::Words, 512>;

  template <class Below>
  static void* child(void* node, std::uint64_t index, std::deque<std::unique_ptr<Below>>& owners) {
    void*& slot = (*static_cast<Node*>(node))[index & 511];
    if (slot == nullptr) slot = owners.emplace_back(std::make_unique<Below>()).get();
    return slot;
  }

  Node root_{};
  std::deque<std::unique_ptr<Node>> nodes_;
  std::deque<std::unique_ptr<Leaf>> leaves_;
};

// The ancestor's inverted page table, written anew: 2^20 buckets (fewer for a tiny input) of 8
// slots, hash = address modulo their number. What a full bucket has no slot for is lost.
class FixedBucketTable {
 public:
  explicit FixedBucketTable(std::size_t pages)
      : buckets_(pages < kBuckets / 8 ? std::bit_ceil(pages) : kBuckets) {}

  void insert(std::uint64_t page, const vm::PageEntry& entry) {
    for (Slot& slot : bucket_of(page)) {
      if (slot.used && slot.page != page) continue;
      slot = {page, entry.words(), true};
      return;
    }
  }
  [[nodiscard, gnu::always_inline]] std::uint64_t find(std::uint64_t page) const {
    for (const Slot& slot : buckets_[page % buckets_.size()]) {
      if (slot.used && slot.page == page) return slot.words[0] ^ slot.words[2];
    }
    return 0;
  }
  void erase(std::uint64_t page) {
    for (Slot& slot : bucket_of(page)) {
      if (slot.used && slot.page == page) slot.used = false;
    }
  }
  [[nodiscard]] std::uint64_t walk() const {
    std::uint64_t sum = 0;
    for (const Bucket& bucket : buckets_) {
      for (const Slot& slot : bucket) sum += slot.used ? slot.words[0] : 0;
    }
    return sum;
  }

 private:
  static constexpr std::size_t kBuckets = 1 << 20;
  struct Slot {
    std::uint64_t page = 0;
    vm::PageEntry::Words words{};
    bool used = false;
  };
  using Bucket = std::array<Slot, 8>;

  Bucket& bucket_of(std::uint64_t page) { return buckets_[page % buckets_.size()]; }

  std::vector<Bucket> buckets_;
};

}  // namespace revenant::bench
