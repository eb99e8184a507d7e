// A slab: 64 KiB of blocks of one size class, described by a header apart from them.
//
//   kinds:    one byte a slab place: 0 = no slab, else its class + 1
//   headers:  Slab[place]: summary | free bits | remote bits        (class, owner, lists)
//   heap:     | block 0 | block 1 | ... |
//
// A free bit says that the owner may hand the block out; the summary has a bit for each word of
// free bits that has any. The lowest free block is always taken first, so that what is used stays
// dense and few pages get dirty. Other threads set a remote bit instead; the owner moves those over
// when it is told so (shard.h).
//
// I1  A block is free if its free bit or its remote bit is set; both are never set at once.
// I2  summary has bit w exactly if free word w is not zero.
// I3  used counts the blocks whose free bit is clear.
// I4  No bit beyond the class's number of blocks is ever set.
//
// Threads: all but `remote` and `remote_noted` is written by the owner alone (a shard, or whoever
// holds the shard's lock), with relaxed stores, and may be read by anyone. Errors: none; the
// callers name misuse.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "objects/run_records.h"
#include "objects/size_classes.h"

namespace revenant::objects {

// Where a slab stands in its shard.
enum class SlabPlace : std::uint8_t {
  kNowhere,  // not a slab, or without free blocks: in no list
  kCurrent,  // allocated from
  kPartial,  // in its class's list: has free blocks
  kReserve,  // in the shard's reserve: empty, of no class
};

struct Slab {
  static constexpr std::size_t kWords = kSlabBytes / 16 / 64;
  using Word = std::atomic<std::uint64_t>;

  Word summary;
  std::byte* base;
  std::atomic<TypeId*> types;  // a slot a block, made when the first type is noted
  Slab* next;                  // in its class's list, or in the reserve
  Slab* previous;
  Slab* next_noted;  // in a shard's stack of slabs with remote bits
  std::atomic<std::uint16_t> used;
  std::atomic<std::uint16_t> shard;  // the owner
  std::uint8_t size_class;
  SlabPlace place;
  std::atomic<std::uint8_t> remote_noted;  // is, or is about to be, in a shard's stack
  alignas(64) Word free[kWords];
  Word remote[kWords];

  static Slab& at(std::uint64_t index);
  static std::uint64_t index_of(const void* pointer) {
    return (reinterpret_cast<std::uintptr_t>(pointer) - kHeapBegin) >> kSlabShift;
  }
  // 0 where there is no slab in use.
  static std::atomic<std::uint8_t>& kind(std::uint64_t index);

  [[nodiscard]] const ClassGeometry& geometry() const { return kGeometry[size_class]; }

  // Makes it a slab of the class, owned by `owner`, all its blocks free.
  void format(std::byte* memory, std::size_t size_class_index, std::uint16_t owner);

  // The lowest free block, or null.
  std::byte* take() {
    const std::uint64_t words = summary.load(std::memory_order_relaxed);
    if (words == 0) [[unlikely]]
      return nullptr;
    const auto word = static_cast<unsigned>(std::countr_zero(words));
    const std::uint64_t bits = free[word].load(std::memory_order_relaxed);
    const auto bit = static_cast<unsigned>(std::countr_zero(bits));
    const std::uint64_t rest = bits & (bits - 1);
    free[word].store(rest, std::memory_order_relaxed);
    if (rest == 0) summary.store(words & (words - 1), std::memory_order_relaxed);  // I2
    add_used(1);
    return base + std::size_t{word * 64 + bit} * kGeometry[size_class].bytes;
  }

  // Owner only: block `index` is free again. False if it is no block, or free already.
  bool give_back(std::uint32_t index) {
    if (index >= geometry().blocks) [[unlikely]]
      return false;
    const unsigned word = index / 64;
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    const std::uint64_t bits = free[word].load(std::memory_order_relaxed);
    // A remote bit that is being set right now is found when it is collected.
    if ((bits & bit) != 0 || (remote_noted.load(std::memory_order_relaxed) != 0 &&
                              (remote[word].load(std::memory_order_relaxed) & bit) != 0))
        [[unlikely]] {
      return false;
    }
    forget_type(index);
    free[word].store(bits | bit, std::memory_order_relaxed);
    summary.store(summary.load(std::memory_order_relaxed) | std::uint64_t{1} << word,
                  std::memory_order_relaxed);  // I2
    add_used(-1);
    return true;
  }
  void forget_type(std::uint32_t index) {
    TypeId* slots = types.load(std::memory_order_acquire);
    if (slots != nullptr) [[unlikely]]
      slots[index] = kUnknownType;
  }

  // After give_back, of a slab that is not current: it was full, or is empty.
  [[nodiscard]] bool needs_refile() const {
    return place == SlabPlace::kNowhere || used.load(std::memory_order_relaxed) == 0;
  }

  // Owner only: takes block `index`, if it is one that the owner may hand out.
  bool take_block(std::uint32_t index) {
    const unsigned word = index / 64;
    const std::uint64_t bits = free[word].load(std::memory_order_relaxed);
    const std::uint64_t rest = bits & ~(std::uint64_t{1} << (index % 64));
    if (rest == bits) return false;
    free[word].store(rest, std::memory_order_relaxed);
    if (rest == 0) {
      const std::uint64_t words = summary.load(std::memory_order_relaxed);
      summary.store(words & ~(std::uint64_t{1} << word), std::memory_order_relaxed);  // I2
    }
    add_used(1);
    return true;
  }

  void add_used(int change) {
    used.store(static_cast<std::uint16_t>(used.load(std::memory_order_relaxed) + change),
               std::memory_order_relaxed);
  }

  // Free by either bit.
  [[nodiscard]] bool is_free(std::uint32_t block) const {
    const std::uint64_t bits = free[block / 64].load(std::memory_order_relaxed) |
                               remote[block / 64].load(std::memory_order_relaxed);
    return (bits >> (block % 64) & 1) != 0;
  }

  // Moves remote bits to the free bits. A block that has both was freed twice: its index, else -1.
  int collect_remote();
};

inline constexpr std::uintptr_t kSlabKindsAddress = PageMap::kEndAddress;
inline constexpr std::uintptr_t kSlabsAddress = kSlabKindsAddress + kDescribedSlabs;
static_assert(sizeof(Slab) == 64 + std::size_t{2} * 8 * Slab::kWords,
              "one cache line before the bits");
static_assert(kSlabsAddress % 64 == 0);
static_assert(kSlabsAddress + kDescribedSlabs * sizeof(Slab) <= kMetadataEnd);

inline Slab& Slab::at(std::uint64_t index) { return reinterpret_cast<Slab*>(kSlabsAddress)[index]; }
inline std::atomic<std::uint8_t>& Slab::kind(std::uint64_t index) {
  return reinterpret_cast<std::atomic<std::uint8_t>*>(kSlabKindsAddress)[index];
}

}  // namespace revenant::objects
