// What is known of each heap page: the page map, and a record for the first page of each run.
//
//   page map:   | kind:4 distance:28 |  one word a heap page; distance to the run's first page
//   records:    RunRecord[first page's index]
//
// I1  Every page of an allocated run (kLarge, kInternal, kSlab, kReserve) holds its kind and its
//     distance; every page of a free run holds a free kind, and its first and last page also the
//     distance.
// I2  A run's record is written before its map words, so that whoever finds the words finds it.
//
// Words are read without a lock: by fault tickets, free and resolve. They are written under
// kHeapRuns, kReserve <-> kSlab also by the slab's owner.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/units.h"
#include "objects/layout.h"
#include "objects/treap.h"
#include "objects/type_state.h"

namespace revenant::objects {

enum class PageKind : std::uint8_t {
  kUntouched = 0,  // never carved
  kRetained,       // free, frames kept
  kReleased,       // free, frames given back
  kLarge,          // one block
  kInternal,       // the heap's own: type slots of a slab
  kSlab,           // blocks of one size class
  kReserve,        // an empty slab that a shard keeps
};

constexpr bool is_free(PageKind kind) {
  return kind == PageKind::kRetained || kind == PageKind::kReleased;
}

struct RunRecord {
  TreapLinks<RunRecord> links;  // among the free runs
  std::uint32_t pages;
  TypeId type;          // of the block, in kLarge
  std::uint64_t epoch;  // allocated: when it was carved. Released: when; 0 if never used

  // Writes the record of a run that is on no tree. Tickets may read the epoch meanwhile.
  void become(std::uint64_t run_pages, std::uint64_t run_epoch) {
    links = {};
    pages = static_cast<std::uint32_t>(run_pages);
    type = kUnknownType;
    std::atomic_ref(epoch).store(run_epoch, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t epoch_for_ticket() {
    return std::atomic_ref(epoch).load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t index() const;
  [[nodiscard]] std::byte* pointer() const;
  [[nodiscard]] base::PageRun run() const;
};
static_assert(sizeof(RunRecord) == 32);

class PageMap {
 public:
  static constexpr std::uint32_t kKindShift = 28;
  static constexpr std::uint32_t kDistanceMask = (1u << kKindShift) - 1;
  static constexpr std::uintptr_t kWordsAddress = kMetadataBegin;
  static constexpr std::uintptr_t kRecordsAddress = kWordsAddress + kDescribedPages * 4;
  static constexpr std::uintptr_t kEndAddress =
      kRecordsAddress + kDescribedPages * sizeof(RunRecord);

  static std::uint64_t index_of(const void* pointer) {
    return (reinterpret_cast<std::uintptr_t>(pointer) - kHeapBegin) >> base::kPageShift;
  }
  static std::byte* pointer_of(std::uint64_t index) {
    return reinterpret_cast<std::byte*>(kHeapBegin + (index << base::kPageShift));
  }

  static PageKind kind(std::uint64_t index) {
    return static_cast<PageKind>(word(index).load(std::memory_order_acquire) >> kKindShift);
  }
  // The first page of the run that `index` belongs to, where I1 promises a distance.
  static std::uint64_t first(std::uint64_t index) {
    return index - (word(index).load(std::memory_order_acquire) & kDistanceMask);
  }
  static RunRecord& record(std::uint64_t first) {
    return reinterpret_cast<RunRecord*>(kRecordsAddress)[first];
  }

  static void set(std::uint64_t first, std::uint64_t pages, PageKind kind) {
    for (std::uint64_t distance = 0; distance < pages; ++distance) {
      word(first + distance)
          .store(
              static_cast<std::uint32_t>(kind) << kKindShift | static_cast<std::uint32_t>(distance),
              std::memory_order_release);
    }
  }
  static void set_one(std::uint64_t index, std::uint64_t distance, PageKind kind) {
    word(index).store(
        static_cast<std::uint32_t>(kind) << kKindShift | static_cast<std::uint32_t>(distance),
        std::memory_order_release);
  }

 private:
  static std::atomic<std::uint32_t>& word(std::uint64_t index) {
    return reinterpret_cast<std::atomic<std::uint32_t>*>(kWordsAddress)[index];
  }
};

static_assert(kHeapPages <= PageMap::kDistanceMask);

inline std::uint64_t RunRecord::index() const {
  return static_cast<std::uint64_t>(this - reinterpret_cast<RunRecord*>(PageMap::kRecordsAddress));
}
inline std::byte* RunRecord::pointer() const { return PageMap::pointer_of(index()); }
inline base::PageRun RunRecord::run() const { return {base::PageNumber::of(pointer()), {pages}}; }

}  // namespace revenant::objects
