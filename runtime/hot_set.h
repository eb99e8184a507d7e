// Pages that are dirty at every stop.
//
//   cold --dirty in kHeatingStops stops in a row--> hot --unchanged for kCoolingStops stops--> cold
//
// Copying such a page ahead of the stop is wasted, since it is written again before the stop, and
// protecting it costs the program a fault. A hot page stays writable and is copied once, in the
// stop (the hybrid copy of TreeSLS, Wu et al., SOSP 2023).
//
// I1  runs() are sorted and disjoint, and at most kMaxRuns: a scan is cut at each of them. Where
//     there are more, the longest are kept.
// I2  Membership changes in learn() only: a stop sees one set.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/units.h"

namespace revenant::runtime {

class HotSet {
 public:
  static constexpr std::size_t kMaxRuns = 256;
  static constexpr std::uint8_t kHeatingStops = 2;
  static constexpr std::uint8_t kCoolingStops = 8;

  [[nodiscard]] std::span<const base::PageRun> runs() const { return runs_; }
  [[nodiscard]] std::size_t pages() const { return hot_pages_; }
  // Hot for ever: pages that the stop itself writes.
  void pin(const base::PageRun& run);
  [[nodiscard]] bool is_pinned(base::PageNumber page) const;
  // Whether any page is hot on the program's account.
  [[nodiscard]] bool has_unpinned() const { return hot_pages_ > pinned_pages_; }

  // The stop found `page` written.
  void note_dirty(base::PageNumber page) { history_[page.value].dirty_now = true; }
  // The copy of `page` differs from its last image: what keeps a hot page hot.
  void note_changed(base::PageNumber page) {
    if (const auto found = history_.find(page.value); found != history_.end()) {
      found->second.dirty_now |= found->second.hot;
    }
  }

  // Ends an epoch: takes in and lets go. The runs that are let go are appended to `cooled`: they
  // are unprotected, and what they hold may not have been seen.
  void learn(std::vector<base::PageRun>& cooled);

 private:
  struct History {
    std::uint8_t streak = 0;  // stops in a row: dirty ones while cold, quiet ones while hot
    bool hot = false;
    bool pinned = false;
    bool dirty_now = false;
  };

  bool advance(History& history);
  void rebuild(std::vector<base::PageRun>& cooled);

  boost::unordered_flat_map<std::uint64_t, History> history_;
  std::vector<base::PageRun> runs_;
  std::size_t hot_pages_ = 0;
  std::size_t pinned_pages_ = 0;
};

}  // namespace revenant::runtime
