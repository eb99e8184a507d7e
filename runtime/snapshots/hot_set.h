// Pages that are dirty at every stop.
//
//   cold --dirty in kHeatingStops stops in a row--> hot --unchanged in the last eight stops--> cold
//                                                    '---let go: it has been freed-----------> cold
//
// Copying such a page ahead of the stop is wasted, since it is written again before the stop, and
// protecting it costs the program a fault. A hot page stays writable and is copied once, in the
// stop (the hybrid copy of TreeSLS, Wu et al., SOSP 2023). Where that fault is a signal, a page
// that merely changed since the stop before may count as dirty at it: who captures decides
// (capture.h). When a page was dirty is kept with its entry in the vm_map (page_entry.h): here is
// only who is hot.
//
// I1  runs() are sorted and disjoint, and at most kMaxRuns: a scan is cut at each of them. Where
//     there are more, the longest are kept.
// I2  Membership changes in learn() only: a stop sees one set.
// I3  A learn() that runs out of memory changes nothing: what left without being told of would not
//     be looked at again.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/units.h"
#include "vm/vm_map.h"

namespace revenant::runtime {

class HotSet {
 public:
  static constexpr std::size_t kMaxRuns = 256;
  static constexpr int kHeatingStops = 2;

  explicit HotSet(vm::VmMap& map) : map_(map) {}

  [[nodiscard]] std::span<const base::PageRun> runs() const { return runs_; }
  [[nodiscard]] std::size_t pages() const { return pages_; }
  [[nodiscard]] bool contains(base::PageNumber page) const;

  // Hot for ever: pages that the stop itself writes.
  void pin(const base::PageRun& run);
  [[nodiscard]] bool is_pinned(base::PageNumber page) const;
  // Whether any page is hot on the program's account.
  [[nodiscard]] bool has_unpinned() const { return pages_ > pinned_pages_; }

  // The stop of epoch `now` found `page` written; of a hot page: its copy differs from its image.
  void note_dirty(base::PageNumber page, base::Epoch now);

  // `page` may hold anything from now on, and is not worth copying: it has been freed.
  void let_go(base::PageNumber page) { leaving_.push_back(page.value); }

  // The epoch has failed: what its stop found counts no more.
  void forget_candidates() { candidates_.clear(); }

  // Ends epoch `now`: takes in and lets go. The runs that are let go are appended to `cooled`: they
  // are unprotected, and what they hold may not have been seen.
  void learn(base::Epoch now, std::vector<base::PageRun>& cooled);

 private:
  [[nodiscard]] bool has_cooled(base::PageNumber page, base::Epoch now) const;
  void rebuild(std::vector<std::uint64_t>& pages, std::vector<base::PageRun>& cooled);

  vm::VmMap& map_;
  std::vector<base::PageRun> runs_;
  std::vector<base::PageRun> pinned_;
  std::vector<std::uint64_t> candidates_;
  std::vector<std::uint64_t> leaving_;
  std::size_t pages_ = 0;
  std::size_t pinned_pages_ = 0;
};

}  // namespace revenant::runtime
