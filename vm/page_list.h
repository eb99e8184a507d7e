// The lists that frames stand on, and the budget that they are counted against.
//
//             a page is brought in                taken out: its content is news
//    free ---------------------------> active ------------------------------> modified
//     ^                                 ^  | taken out: equals its image          |
//     |                          rescue |  v                                      | committed
//     '------- dropped ------------- standby <------------------------------------'
//                                       (modified: parked, and free at once)
//
// A frame is the right to hold one page in memory, wherever that lies: in the space while the page
// is active, beside it (frame_pool.h) while it is modified or standby. A page's entry names its
// frame, a frame names its page; the entry is the truth, and changes under its stripe's lock. A
// list only says who comes next: whoever takes a frame off one looks at the entry before it acts,
// and finds perhaps that another was faster.
//
// Active and standby are the two queues of a segmented FIFO (Turner and Levy, "Segmented FIFO Page
// Replacement", SIGMETRICS 1981; VMS, Windows NT): no reference bit exists for user memory, so what
// is taken out waits on standby, and an access there is the second chance.
//
// I1  A frame stands on one list or on none (in somebody's hands); a free one belongs to no page.
// I2  in_use() counts the frames that are not free, and those whose memory is still to be given
//     back: the pages in memory are never more.
// I3  On the modified list rounds rise from the oldest to the newest.
//
// Threads: any, in the fault handler too. Locks: lock_ (rank kPageLists), for each call. Errors:
// open() fails where the host refuses the addresses.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "base/intrusive_list.h"
#include "base/lock.h"
#include "base/result.h"
#include "base/units.h"
#include "vm/dirty_list.h"
#include "vm/memory_statistics.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {

// 0 is none: a page that is not counted has no frame.
using FrameNumber = std::uint32_t;
inline constexpr FrameNumber kNoFrame = 0;

enum class ListName : std::uint8_t { kActive, kStandby, kModified };
inline constexpr std::size_t kListNames = 3;

class PageLists {
 public:
  // Frames that are handled at once.
  static constexpr std::size_t kBatch = 64;

  // A frame that was taken off a list, and whose it was then.
  struct Candidate {
    FrameNumber frame = kNoFrame;
    base::PageNumber page;
    constexpr auto operator<=>(const Candidate&) const = default;
  };

  // Lengths are kept in `counters`, for others to read.
  explicit PageLists(MemoryCounters& counters) : counters_(counters) {}

  // At most `budget` frames at a time, unless somebody has to exceed it.
  [[nodiscard]] base::Status open(base::PageCount budget) REVENANT_EXCLUDES(lock_);

  // Up to `wanted` free frames to `out`; says how many. `beyond` ignores the budget.
  std::size_t take_free(FrameNumber* out, std::size_t wanted, bool beyond = false) noexcept
      REVENANT_EXCLUDES(lock_);
  // Frees frames whose memory has been given back.
  void give_back(std::span<const FrameNumber> frames) noexcept REVENANT_EXCLUDES(lock_);
  // Frees frames whose memory is still to be given back: settle() then lowers in_use().
  void retire(std::span<const FrameNumber> frames) noexcept REVENANT_EXCLUDES(lock_);
  void settle(std::uint64_t frames) noexcept REVENANT_EXCLUDES(lock_);

  // Makes the frame, in the caller's hands or on any list, the newest of that list.
  void append(ListName name, FrameNumber number, base::PageNumber page) noexcept
      REVENANT_EXCLUDES(lock_);
  // The same on the active list, for a page that comes to be: `born` with it, or with its image.
  enum class Origin : std::uint8_t { kNothing, kImage };
  void append_new(FrameNumber number, base::PageNumber page, Origin origin) noexcept
      REVENANT_EXCLUDES(lock_);
  // Whether a snapshot that was captured in `round` can hold what the frame holds.
  enum class Seen : std::uint8_t { kNot, kPage, kContent };
  [[nodiscard]] Seen seen_in(std::uint64_t round, FrameNumber number) const noexcept
      REVENANT_EXCLUDES(lock_);
  // Takes the oldest frames of that list into the caller's hands.
  std::size_t take_oldest(ListName name, std::span<Candidate> out) noexcept
      REVENANT_EXCLUDES(lock_);
  // Takes the frame off whatever list it is on.
  void take_off(FrameNumber number) noexcept REVENANT_EXCLUDES(lock_);

  // Begins a new round; appends the pages that have become modified in the one that ends.
  std::uint64_t next_round(DirtyList& out) noexcept REVENANT_EXCLUDES(lock_);
  // Those who only want to know about when to act need no lock.
  [[nodiscard]] std::uint64_t budget() const noexcept { return budget_; }
  [[nodiscard]] std::uint64_t in_use() const noexcept {
    return in_use_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t length(ListName list) const noexcept {
    return length_of(list).load(std::memory_order_relaxed);
  }
  void check_invariants() REVENANT_EXCLUDES(lock_);

 private:
  struct Frame {
    base::PageNumber page;
    std::uint64_t round = 0;  // in which it came to the list
    std::uint64_t born = 0;   // the round in which the page came to be, if it had no image then
    base::ListHook hook;
    ListName list = ListName::kActive;  // if the hook is linked
  };
  using List = base::IntrusiveList<Frame, &Frame::hook>;

  // More frames than the space has pages.
  static constexpr std::uint64_t kMostFrames = std::uint64_t{1} << 28;

  [[nodiscard]] Frame& frame_at(FrameNumber number) const noexcept {
    return reinterpret_cast<Frame*>(memory_.begin())[number];
  }
  [[nodiscard]] FrameNumber number_of(const Frame& frame) const noexcept {
    return static_cast<FrameNumber>(&frame - reinterpret_cast<Frame*>(memory_.begin()));
  }
  [[nodiscard]] List& list(ListName name) REVENANT_REQUIRES(lock_) {
    return lists_[static_cast<std::size_t>(name)];
  }
  void unlink(Frame& frame) noexcept REVENANT_REQUIRES(lock_);
  void note_length(ListName name) noexcept REVENANT_REQUIRES(lock_);
  void link(ListName name, FrameNumber number, base::PageNumber page) noexcept
      REVENANT_REQUIRES(lock_);

  [[nodiscard]] std::atomic<std::uint64_t>& length_of(ListName list) const noexcept {
    return list == ListName::kActive    ? counters_.active_pages
           : list == ListName::kStandby ? counters_.standby_pages
                                        : counters_.modified_pages;
  }
  void set_in_use(std::uint64_t frames) noexcept REVENANT_REQUIRES(lock_);

  MemoryCounters& counters_;
  ReservedMemory memory_;     // constant after open()
  std::uint64_t budget_ = 0;  // constant after open()

  // Written under lock_.
  std::atomic<std::uint64_t> in_use_{0};

  mutable base::Lock lock_{base::LockRank::kPageLists};
  std::array<List, kListNames> lists_ REVENANT_GUARDED_BY(lock_);
  List free_ REVENANT_GUARDED_BY(lock_);
  std::uint64_t carved_ REVENANT_GUARDED_BY(lock_) = 1;  // frame 0 is none
  std::uint64_t round_ REVENANT_GUARDED_BY(lock_) = 1;
};

}  // namespace revenant::vm
