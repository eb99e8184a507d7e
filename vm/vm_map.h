// The page table of the space: page number -> entry, for any pages at all, and none is ever lost.
//
//   page number:  upper bits: the tag | low 6 bits
//                   |      |               |
//                   |   hash_of            `--------------.
//                   |      |                              v
//                   |      |--> bucket tree --> block: [entries] --> block --> nowhere
//                   |      |      chains sorted by hash, 64 neighbours under one tag
//                   |      `--> lone pages: entry
//                   |             for a page without neighbours
//                   `--> space blocks --> full block
//                          an array, for readers, of the space only
//
// A clustered page table (Talluri, Hill and Khalidi, "A New Page Table for 64-bit Address Spaces",
// SOSP 1995): a hashed table whose element is not a page but a block of consecutive ones, so that
// one probe finds a page and what lies beside it, and the tag and the link are paid once for all of
// them (vm_map_block.h). A page without neighbours has no block: its entry lies in the bucket
// itself (lone_pages.h), until a neighbour comes. An overflowing bucket chains; the table grows a
// bucket at a time (bucket_tree.h); nothing is displaced, ever.
//
// What is hashed may be any page. The space, where nearly all pages are, is known to be one range:
// its full blocks are found by an array, too (space_blocks.h). Among them a look-up is then what it
// is in a radix table, of one level: the hash remains for what is sparse, and for all else.
//
// The ancestor's operations and theirs here: initialise: open; make an entry: insert; set: update
// or upsert; get (a copy): find; do for all: for_each; and the two it lacked, delete: erase, and
// page out: the edges of page_state.h, taken in update.
//
// I1. A tag has at most one block in the table, or else at most one lone page.
// I2. A chain is sorted by rising hash, and all of it belongs to its bucket.
// I3. The counts of a stripe are those of its blocks.
//
// Threads and locks: find takes no lock, writes nothing and never waits; it may be called in a
// signal handler, whatever code that has interrupted. Everything else takes one stripe's lock at a
// time (base::LockRank::kVmMap): the stripe is the top six bits of the hash, so that neighbours
// within a block share one and others seldom do. What runs under the lock touches no persistent
// memory, so that no fault handler ever finds it held by its own thread. All memory is volatile and
// reserved once; nothing here allocates.
//
// Errors: open fails when addresses cannot be reserved; nothing else fails.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/block_arena.h"
#include "vm/bucket_tree.h"
#include "vm/lone_pages.h"
#include "vm/page_entry.h"
#include "vm/space_blocks.h"
#include "vm/vm_map_block.h"
#include "vm/vm_map_stripe.h"

namespace revenant::vm {

struct VmMapStatistics {
  std::uint64_t entries = 0;
  std::uint64_t dirty_entries = 0;
  std::uint64_t lone_entries = 0;  // of which without a block
  std::uint64_t blocks = 0;
  std::uint64_t full_blocks = 0;  // of which with room for 64 pages
  std::uint64_t buckets = 0;      // of blocks
  std::uint64_t lone_buckets = 0;
  std::uint64_t bytes = 0;  // of the table and all that was ever a block
};

class VmMap {
 public:
  using Change = base::FunctionRef<void(PageEntry&)>;
  using Visit = base::FunctionRef<void(base::PageNumber, const PageEntry&)>;

  VmMap() = default;
  VmMap(const VmMap&) = delete;
  VmMap& operator=(const VmMap&) = delete;

  // To be called once, before anything else.
  [[nodiscard]] base::Status open();

  // A copy of the page's entry, as it stood at one instant of the call.
  [[nodiscard]] std::optional<PageEntry> find(base::PageNumber page) const noexcept;

  // Makes an entry. False, and nothing is changed, if the page has one.
  bool insert(base::PageNumber page, const PageEntry& entry);
  // Applies `change` to the page's entry, under the stripe's lock: it may neither call the map nor
  // touch persistent memory. False if the page has none.
  bool update(base::PageNumber page, Change change);
  // The same, from a new entry (untouched) if the page has none. True if it had none.
  bool upsert(base::PageNumber page, Change change);
  // Removes the entry. False if there was none.
  bool erase(base::PageNumber page);

  // Pages that are changed together lie within as many, aligned, a quarter of a block: what is
  // copied of them fits a stack.
  static constexpr std::uint64_t kRunPages = 16;
  static_assert(internal::kBlockPages % kRunPages == 0);

  // The entries of a run within kRunPages, while its stripe is locked.
  class RunEntries;
  using RunChange = base::FunctionRef<void(RunEntries&)>;
  // Applies `change` to the entries of `run`, which lies within kRunPages
  // (block_part()): all of them change at one instant for those who take the lock. It may neither
  // call the map nor touch persistent memory.
  void change_run(base::PageRun run, RunChange change);
  // The first part of `run` that lies within kRunPages.
  [[nodiscard]] static constexpr base::PageRun block_part(base::PageRun run) {
    const std::uint64_t room = kRunPages - run.first.value % kRunPages;
    return {run.first, {run.count.value < room ? run.count.value : room}};
  }
  // The kRunPages that `page` is in.
  [[nodiscard]] static constexpr base::PageRun block_of(base::PageNumber page) {
    return {{page.value / kRunPages * kRunPages}, {kRunPages}};
  }
  // The same for all kRunPages that have entries in `run`, at a cost of what is cheaper: the length
  // of the run, or the size of the map. Entries may come and go meanwhile.
  void change_all(base::PageRun run, RunChange change);

  // Visits every entry that is present throughout the walk exactly once, and others at most once;
  // each as it stood shortly before its visit. `visit` is called without a lock, and may change the
  // map.
  void for_each(Visit visit) const;
  // The same for the entries that are dirty, at a cost that depends on them (and on one bit for
  // each bucket of lone pages). One such walk at a time.
  void for_each_dirty(Visit visit);

  // Exact when nobody writes; otherwise each stripe's share is exact for itself.
  [[nodiscard]] VmMapStatistics statistics() const;
  // Everything, under the locks: for tests and `verify`. Each write to a block checks its own entry
  // in debug builds.
  void check_invariants() const;

 private:
  // Where a tag's block is, or would be: the link that leads there.
  struct Place {
    std::atomic<internal::BlockLink>* link;
    internal::BlockRef ref;    // 0: there is no such block
    internal::LoneSlot* lone;  // and then the tag's lone page, if there is one
  };
  struct BlockCopy;

  [[nodiscard]] internal::Stripe& stripe_of(std::uint64_t hash) const {
    // An index in bytes from the start, which the compiler makes two instructions longer.
    constexpr unsigned kShift = 64 - internal::BucketTree::kStripeBits - 8;
    static_assert(sizeof(internal::Stripe) == 1 << 8);
    const std::size_t offset = hash >> kShift & (sizeof(stripes_) - sizeof(internal::Stripe));
    return *reinterpret_cast<internal::Stripe*>(reinterpret_cast<std::byte*>(stripes_) + offset);
  }
  [[nodiscard]] std::optional<PageEntry> find_further(base::PageNumber page,
                                                      std::uint64_t hash) const noexcept;

  enum class IfAbsent : std::uint8_t { kLeave, kMake };
  enum class IfPresent : std::uint8_t { kLeave, kChange };
  // True if the page had an entry.
  bool change(base::PageNumber page, IfAbsent if_absent, IfPresent if_present, Change change);
  [[nodiscard]] Place locate(internal::BlockTag tag) const;
  [[nodiscard]] std::optional<PageEntry> entry_at(Place place, base::PageNumber page) const;
  // Writes the entry of a page that may have none yet, and brings `place` up to date. `wanted`,
  // bits of its block, are the pages that are about to be written.
  void put(internal::Stripe& stripe, Place& place, base::PageNumber page,
           const PageEntry::Words& words, internal::PageSet wanted) REVENANT_REQUIRES(stripe.lock);
  // The same for an entry that is to go. The block stays, even if it is empty now.
  void remove(internal::Stripe& stripe, Place& place, base::PageNumber page)
      REVENANT_REQUIRES(stripe.lock);
  // Takes the block out of the table if it has no entries.
  void tidy_up(internal::Stripe& stripe, Place place) REVENANT_REQUIRES(stripe.lock);
  // Writes what was changed. True if there are new entries.
  bool write_run(internal::Stripe& stripe, Place place, RunEntries& entries)
      REVENANT_REQUIRES(stripe.lock);
  // Sees to it that the page's block stands and has room for it and for those wanted.
  internal::BlockRef make_room(internal::Stripe& stripe, Place place, base::PageNumber page,
                               internal::PageSet wanted) REVENANT_REQUIRES(stripe.lock);
  internal::BlockRef add_block(internal::Stripe& stripe, Place place, base::PageNumber page,
                               internal::PageSet wanted) REVENANT_REQUIRES(stripe.lock);
  internal::BlockRef widen_block(internal::Stripe& stripe, Place place, base::PageNumber page,
                                 internal::PageSet wanted) REVENANT_REQUIRES(stripe.lock);
  // Both write the entry and keep the counts and what tells what is dirty.
  void write_lone(internal::Stripe& stripe, internal::LoneSlot& slot, base::PageNumber page,
                  const PageEntry::Words& words) REVENANT_REQUIRES(stripe.lock);
  void write(internal::Stripe& stripe, internal::BlockRef ref, base::PageNumber page,
             const PageEntry::Words& words) REVENANT_REQUIRES(stripe.lock);
  void grow();
  void split(internal::BucketTree::Node node);
  void split_lone(internal::LonePages::Node node);

  bool copy_from(std::uint64_t& hash, BlockCopy& copy) const;
  [[nodiscard]] internal::BlockRef first_block(std::uint64_t hash, std::uint64_t last) const;
  bool copy_dirty(internal::Stripe& stripe, std::uint64_t last_hash, BlockCopy& copy);
  std::uint64_t check_space_blocks(internal::BucketTree::Node bucket) const;
  std::uint64_t check_bucket(internal::BucketTree::Node bucket, VmMapStatistics& found) const;
  void check_lone_pages(const internal::Stripe& stripe, VmMapStatistics& found) const
      REVENANT_REQUIRES(stripe.lock);
  void check_dirty_lists(internal::Stripe& stripe, std::uint64_t blocks) const
      REVENANT_REQUIRES(stripe.lock);

  internal::BucketTree buckets_;
  internal::LonePages lones_;
  internal::SpaceBlocks space_blocks_;
  mutable internal::BlockArena arena_;
  std::atomic<std::uint64_t> blocks_{0};
  std::atomic<bool> dirty_walk_{false};
  mutable internal::Stripe stripes_[internal::BucketTree::kStripes];
};

class VmMap::RunEntries {
 public:
  [[nodiscard]] const base::PageRun& run() const { return run_; }
  [[nodiscard]] bool has(base::PageNumber page) const {
    return PageEntry::is_entry(words_[page.value % kRunPages]);
  }
  // The page's entry, or that of an untouched page.
  [[nodiscard]] PageEntry get(base::PageNumber page) const {
    return has(page) ? PageEntry::from_words(words_[page.value % kRunPages]) : PageEntry();
  }
  void set(base::PageNumber page, const PageEntry& entry) { store(page, entry.words()); }
  void erase(base::PageNumber page) {
    if (has(page)) store(page, {});
  }

 private:
  friend class VmMap;
  explicit RunEntries(base::PageRun run) : run_(run) {}
  [[nodiscard]] bool changed(base::PageNumber page) const {
    return (changed_ >> page.value % kRunPages & 1) != 0;
  }
  void store(base::PageNumber page, const PageEntry::Words& words) {
    REVENANT_DCHECK(run_.contains(page), "page %#zx", page.value);
    words_[page.value % kRunPages] = words;
    changed_ |= 1u << page.value % kRunPages;
  }

  base::PageRun run_;
  unsigned changed_ = 0;
  std::array<PageEntry::Words, kRunPages> words_{};
};

// The way of most: a full block of the space, or a lone page. No other memory is fetched than the
// reference and the entry, or the lone page's bucket; and the fewer instructions there are, the
// more look-ups the processor has under way at a time. A call would double them.
[[gnu::always_inline]] inline std::optional<PageEntry> VmMap::find(
    base::PageNumber page) const noexcept {
  const internal::BlockTag tag = internal::tag_of(page);
  const std::uint64_t hash = internal::hash_of(tag);
  const internal::WriteSequence& sequence = stripe_of(hash).sequence;
  const std::uint64_t begun = sequence.begin();
  if (internal::SpaceBlocks::covers(tag)) [[likely]] {
    const PageEntry::Words words =
        arena_.cell(space_blocks_.find(tag), internal::index_of(page)).load();
    if (PageEntry::is_entry(words) && sequence.was_quiet(begun)) [[likely]]
      return PageEntry::from_words(words);
  }
  if (const internal::EntryCell* cell = lones_.find_in_first_line(page, hash)) {
    const PageEntry::Words words = cell->load();
    if (sequence.was_quiet(begun)) [[likely]]
      return PageEntry::from_words(words);
  }
  return find_further(page, hash);
}

}  // namespace revenant::vm
