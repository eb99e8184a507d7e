// The tables that bench/vm_map compares, under one face.
//
// Each gives: insert, find (something read from the entry, 0 if there is none), erase, walk.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/check.h"
#include "vm/vm_map.h"

namespace revenant::bench {

struct VmMapTable {
  VmMapTable() : map(std::make_unique<vm::VmMap>()) { REVENANT_CHECK(map->open().ok()); }
  void insert(std::uint64_t page, const vm::PageEntry& entry) { map->insert({page}, entry); }
  [[nodiscard]] std::uint64_t find(std::uint64_t page) const {
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
  void insert(std::uint64_t page, const vm::PageEntry& entry) { map.emplace(page, entry); }
  [[nodiscard]] std::uint64_t find(std::uint64_t page) const {
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
using BoostFlatTable = LibraryTable<boost::unordered_flat_map<std::uint64_t, vm::PageEntry>>;

// What a processor walks: four levels of 512, for 36-bit page numbers.
class RadixTable {
 public:
  void insert(std::uint64_t page, const vm::PageEntry& entry) {
    void* at = &root_;
    for (unsigned shift = 27; shift > 9; shift -= 9) at = child(at, page >> shift, nodes_);
    (*static_cast<Leaf*>(child(at, page >> 9, leaves_)))[page & 511] = entry.words();
  }
  [[nodiscard]] std::uint64_t find(std::uint64_t page) const {
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

}  // namespace revenant::bench
