// Brings pages into the space and takes them out again: the edges of page_state.h, carried out.
//
//                       bring_in: from zeros or an image
//     no frame  --------------------------------------------> active, in the space
//        ^  ^                                                  |  ^
//        |  |                                        take_out  |  | rescue
//        |  '--- drop ----------- standby, in the pool <-------+  |
//        |                         ^        |                  |  |
//        |                 settle  |        '------------------|--'
//        '--- end_parking -------- modified, in the pool <-----'
//
// A page's entry and its memory change together, under its stripe's lock: whoever takes the lock
// sees either the one state or the other. Blocks of sixteen pages share a stripe, so neighbours
// travel by one call of the kernel's. What comes from the store is fetched before the lock is
// taken; the entry says then whether the page is still what was asked for.
//
// I1  A page is in the space exactly if it is active, in the pool (frame_pool.h) exactly if it is
//     standby, modified or in transit, in no memory otherwise. A copy of it may be left behind
//     there for a while; it is nobody's, and counts as a frame in use.
// I2  What is in memory has a frame, unless it is not counted: outside the space, or without a
//     budget.
// I3  A page becomes standby only if the newest image, which the branch holds, equals it: its entry
//     has that image's hash, and is not dirty. While a snapshot is being made (hold_judgement())
//     nobody knows what that will be, and all that is taken out is modified.
// I4  No page is touched under a stripe's lock, and no lock here is held by code that can fault.
//
// A page that the program itself had the kernel drop (madvise) is brought in again as its ticket
// says, though its entry says active.
//
// Threads: any, in the fault handler too; parking by the thread that writes snapshots. Locks:
// stripes (kVmMap), then kPageLists and kChunks. Errors: what the kernel refuses leaves the page
// where it was.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "base/function_ref.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_list.h"
#include "vm/dirty_tracker.h"
#include "vm/frame_pool.h"
#include "vm/memory_statistics.h"
#include "vm/page_list.h"
#include "vm/page_source.h"
#include "vm/vm_map.h"

namespace revenant::vm {

class Pager {
 public:
  using Candidate = PageLists::Candidate;

  explicit Pager(MemoryCounters& counters) : lists_(counters), counters_(counters) {}

  // `budget`: pages in memory at most; 0: no limit, and nothing is ever taken out.
  [[nodiscard]] base::Status open(base::PageCount budget, DirtyTracker& tracker,
                                  PageSource& source);
  void close();
  [[nodiscard]] bool has_budget() const { return lists_.budget() != 0; }
  // Whether pages come and go by whole blocks of the map: lone ones would be too dear.
  [[nodiscard]] bool travels_in_blocks() const {
    return has_budget() && tracker_->prefers_blocks();
  }
  // Pages of `run` stay in memory once they are there. Before the first fault.
  void pin(base::PageRun run);

  // Pages of `run` are read-only and come from host files: they are dropped rather than moved to
  // the pool. One run of whole blocks; before the first fault there.
  void seal(base::PageRun run) { sealed_ = run; }

  // A moment: whoever brings pages in says since when it asked what they are.
  struct Mark {
    std::uint64_t releases = 0;
    std::uint64_t forgotten = 0;
  };
  [[nodiscard]] Mark mark() const noexcept {
    return {releases_.load(std::memory_order_acquire), forgotten_.load(std::memory_order_acquire)};
  }

  // What is wanted of the pages of one block.
  struct Wanted {
    base::PageRun run;         // within one block
    base::PageNumber touched;  // by the access; perhaps none of `run`
    FillMode mode = FillMode::kClean;
    const std::byte* content = nullptr;               // a page each
    const PageSource::Fetched* images = nullptr;      // what they are; null: zeros
    Mark mark;                                        // before any rule was asked
    std::span<const FrameNumber> frames;              // as many as pages, if they are counted
    std::span<const std::optional<PageEntry>> found;  // the entries when the content was asked for
  };
  struct Brought {
    std::uint64_t pages = 0;
    std::uint64_t raced = 0;  // pages that another thread brought in meanwhile
    std::size_t frames = 0;   // how many of the frames were used, from the first on
    bool refused = false;     // the kernel had no memory, or no mapping, for the touched page
  };
  // Brings those pages in that are still what was asked for.
  Brought bring_in(const Wanted& wanted) noexcept;
  // Whether pages that are brought in there need frames.
  [[nodiscard]] bool counts(base::PageRun run) const {
    return has_budget() && kSpaceRun.contains(run.first);
  }

  // Puts the pages of `run`, within one block, that are in the pool back into the space. False if
  // `touched` is among them and could not be. As many as there are `spare` frames are copied rather
  // than moved, and what they leave behind counts until it has been discarded.
  bool rescue(base::PageRun run, base::PageNumber touched,
              std::span<const FrameNumber> spare) noexcept;
  // More pages than these are better moved: the kernel interrupts the other cores once for all.
  static constexpr std::size_t kMostCopied = 4;
  // The entry of a page whose image its ticket calls stale is forgotten: the ticket counts. If the
  // page was stored anew meanwhile nothing is lost: its ticket says the same as that entry.
  void forget_stored(base::PageNumber page) noexcept;

  // Pages of candidates, in the caller's hands, leave the space. Says how many went.
  std::uint64_t take_out(std::span<Candidate> candidates) noexcept;
  // Standby pages of candidates give up their frames. Says how many.
  std::uint64_t drop(std::span<Candidate> candidates) noexcept;

  // Discards what was left behind in the pool. Says how many frames came free by it.
  std::uint64_t settle_discarded() noexcept;

  // The owner gave `run` back: its rule says so already.
  void discard(base::PageRun run) noexcept;

  // Snapshots. While judgement is held, a page that leaves the space counts as modified.
  void hold_judgement(bool held) noexcept { judges_.store(!held, std::memory_order_release); }
  // Copies a page that is in the pool to `frame`. False if it is not there.
  bool copy_outside(base::PageNumber page, std::byte* frame) noexcept;
  // The snapshot of `round` holds this content of the page, or an earlier one does.
  void settle(base::PageNumber page, const ContentHash& hash, std::uint64_t round) noexcept;

  // Parking, in three steps. First: the content of a modified page, copied to `frame`, and its
  // hash. Nothing if it is not modified any more, or equals its image after all.
  std::optional<ContentHash> begin_parking(const Candidate& candidate, std::byte* frame) noexcept;
  // Its image is durable: the frame is free by the next settle_discarded(). False if the page was
  // wanted meanwhile.
  bool end_parking(const Candidate& candidate, const ContentHash& hash,
                   TicketReference parked) noexcept;
  // It is not, or was never begun with: a page that is still modified waits again.
  void give_up_parking(const Candidate& candidate) noexcept;
  // Whether the page's content is what that image holds, and no snapshot holds it.
  [[nodiscard]] bool wants_parked(base::PageNumber page, TicketReference parked,
                                  const ContentHash& hash) const noexcept;
  // A commit takes parked images over, and then tells the pages' entries: in between, what an entry
  // says of its image may be true no more. Waits a while for that; false if it stays as it is.
  [[nodiscard]] bool settles_soon(base::PageNumber page, const PageEntry& entry) const noexcept;
  // A snapshot has taken the parked image over.
  void commit_parked(base::PageNumber page, const ContentHash& hash) noexcept;

  [[nodiscard]] PageLists& lists() { return lists_; }
  [[nodiscard]] const FramePool& pool() const { return pool_; }
  [[nodiscard]] VmMap& map() { return map_; }
  [[nodiscard]] MemoryCounters& counters() { return counters_; }

 private:
  class FrameBatch;
  [[nodiscard]] bool is_pinned(base::PageNumber page) const;
  [[nodiscard]] bool fits(const Wanted& wanted, base::PageNumber page,
                          const VmMap::RunEntries& entries) const noexcept;
  void note_arrival(const Wanted& wanted, base::PageNumber page, VmMap::RunEntries& entries,
                    Brought& brought) noexcept;
  void note_rescued(base::PageRun run, PageBits came, base::PageNumber touched,
                    VmMap::RunEntries& entries) noexcept;
  void free_discarded(std::uint64_t pages) noexcept;
  void take_out_block(std::span<Candidate> candidates, VmMap::RunEntries& entries,
                      FrameBatch& freed, std::uint64_t& gone) noexcept;
  void note_departure(base::PageNumber page, VmMap::RunEntries& entries) noexcept;

  VmMap map_;
  PageLists lists_;
  FramePool pool_;
  MemoryCounters& counters_;
  DirtyTracker* tracker_ = nullptr;  // constant after open()
  PageSource* source_ = nullptr;     // constant after open()
  ContentHash zeros_;                // of a page of zeros; constant after open()
  static constexpr std::size_t kMostPinned = 4;
  std::array<base::PageRun, kMostPinned> pinned_{};  // constant after pin()
  std::size_t pinned_runs_ = 0;
  base::PageRun sealed_{};  // constant after seal()

  std::atomic<std::uint64_t> releases_{0};
  std::atomic<std::uint64_t> forgotten_{0};
  std::atomic<bool> judges_{true};
};

}  // namespace revenant::vm
