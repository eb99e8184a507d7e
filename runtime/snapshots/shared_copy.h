// One list of pages, copied by two threads of which neither waits for the other.
//
//   parts:   [0][1][2][3] ... [n-2][n-1]
//             owner -->         <-- helper
//
//   free --owner--> own                  copied to the owner's frames
//     '--helper--> helping --> helped    copied to the helper's frames
//                     '--owner--> own    the helper was taken off its core: copied once more
//
// In the stop the worker copies the hot pages; the snapshotter's thread has nothing to do but wait,
// and two cores move twice what one does. Waiting for a helper that may be descheduled would make
// the pause as long as a time slice, so the owner takes a part back by one compare-and-swap.
//
// I1  Each part changes hands by compare-and-swap only, and ends as own or helped.
// I2  The two sides write to frames of their own: a helper that is late spoils nothing.
// I3  plan() and help() are called by one thread: the next list is made after the helper's last
//     write.
//
// Threads: plan() and help() on one, copy() on any, between a plan() and the next.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/units.h"

namespace revenant::runtime {

class SharedCopy {
 public:
  // As long as a part takes, some 8 us, the owner waits for one that is being copied.
  static constexpr std::uint64_t kPartPages = 32;

  // What the next copy() copies: disjoint runs.
  void plan(std::span<const base::PageRun> runs);
  [[nodiscard]] std::size_t pages() const { return pages_; }

  // Copies what was planned, alone or with help, to one or the other frames, of pages() pages each.
  // Pages that have gone meanwhile are left out.
  void copy(std::byte* own_frames, std::byte* helper_frames);
  // How many pages the last copy() took on itself.
  [[nodiscard]] std::size_t own_pages() const { return own_pages_; }
  // Waits for copy() to begin, at most `patience`, and takes part in it. Returns before it ends.
  void help(std::chrono::nanoseconds patience);

  // After copy(): visit(PageNumber, bool helped, std::size_t frame) for each page there is, and
  // missing(PageNumber) for each that there is not.
  template <class Visit, class Missing>
  void for_each(Visit visit, Missing missing) const {
    for (std::size_t i = 0; i < parts_; ++i) {
      const Part& part = part_[i];
      const bool helped = part.state.load(std::memory_order_acquire) == State::kHelped;
      const std::uint32_t there = helped ? part.there_helped : part.there_own;
      for (std::uint64_t at = 0; at < part.run.count.value; ++at) {
        const base::PageNumber page = part.run.first + base::PageCount{at};
        if ((there >> at & 1) == 0) {
          missing(page);
        } else {
          visit(page, helped, part.frame + at);
        }
      }
    }
  }

 private:
  enum class State : std::uint8_t { kFree, kHelping, kHelped, kOwn };

  struct Part {
    base::PageRun run;
    std::size_t frame = 0;
    std::atomic<State> state{State::kFree};
    std::uint32_t there_own = 0;  // a bit for each page that was there
    std::uint32_t there_helped = 0;

    bool take(State from, State to) {
      return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }
    [[nodiscard]] std::uint32_t copy_to(std::byte* frames) const;
  };
  static_assert(kPartPages <= 32, "a part's pages are bits of a word");

  void copy_own(Part& part, std::byte* own_frames);
  void finish(Part& part, std::byte* own_frames);

  std::unique_ptr<Part[]> part_;
  std::size_t parts_ = 0;
  std::size_t capacity_ = 0;
  std::size_t pages_ = 0;
  std::size_t own_pages_ = 0;
  std::byte* helper_frames_ = nullptr;
  std::atomic<bool> begun_{false};
};

}  // namespace revenant::runtime
