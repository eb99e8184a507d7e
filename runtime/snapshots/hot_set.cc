#include "runtime/snapshots/hot_set.h"

#include <algorithm>

#include "vm/page_runs.h"

namespace revenant::runtime {
namespace {

void append_page(std::vector<base::PageRun>& runs, base::PageNumber page) {
  if (!runs.empty() && runs.back().end() == page) {
    runs.back().count += base::PageCount{1};
  } else {
    runs.push_back({page, base::PageCount{1}});
  }
}

}  // namespace

bool HotSet::contains(base::PageNumber page) const { return vm::any_contains(runs_, page); }
bool HotSet::is_pinned(base::PageNumber page) const { return vm::any_contains(pinned_, page); }

void HotSet::pin(const base::PageRun& run) {
  pinned_.push_back(run);
  std::ranges::sort(pinned_);
  pinned_pages_ += run.count.value;
  runs_ = pinned_;
  pages_ = pinned_pages_;
}

void HotSet::note_dirty(base::PageNumber page, base::Epoch now) {
  constexpr unsigned kHeated = (1u << kHeatingStops) - 1;
  bool heated = false;
  map_.update(page, [&](vm::PageEntry& entry) {
    if (!entry.can_be_dirty()) return;
    entry.mark_dirty(now);
    heated = (entry.heat(now) & kHeated) == kHeated;
  });
  if (heated) candidates_.push_back(page.value);
}

void HotSet::learn(base::Epoch now, std::vector<base::PageRun>& cooled) {
  bool changed = false;
  std::vector<std::uint64_t> pages;
  std::ranges::sort(leaving_);
  for (const base::PageRun& run : runs_) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      if (has_cooled(page, now)) {
        append_page(cooled, page);
        changed = true;
      } else {
        pages.push_back(page.value);
      }
    }
  }
  for (const std::uint64_t candidate : candidates_) {
    if (contains(base::PageNumber{candidate})) continue;
    pages.push_back(candidate);
    changed = true;
  }
  if (changed) rebuild(pages, cooled);
  candidates_.clear();
  leaving_.clear();
}

bool HotSet::has_cooled(base::PageNumber page, base::Epoch now) const {
  if (is_pinned(page)) return false;
  if (std::ranges::binary_search(leaving_, page.value)) return true;
  const auto entry = map_.find(page);
  return !entry.has_value() || entry->heat(now) == 0;
}

void HotSet::rebuild(std::vector<std::uint64_t>& pages, std::vector<base::PageRun>& cooled) {
  std::ranges::sort(pages);
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::vector<base::PageRun> runs;
  for (const std::uint64_t page : pages) append_page(runs, base::PageNumber{page});
  if (runs.size() > kMaxRuns) {  // I1
    const auto kept = runs.begin() + kMaxRuns;
    std::ranges::nth_element(runs, kept, [this](const auto& a, const auto& b) {
      const bool a_pinned = is_pinned(a.first);
      return a_pinned != is_pinned(b.first) ? a_pinned : a.count > b.count;
    });
    cooled.insert(cooled.end(), kept, runs.end());
    runs.erase(kept, runs.end());
    std::ranges::sort(runs);
  }
  runs_.swap(runs);  // I3
  pages_ = 0;
  for (const base::PageRun& run : runs_) pages_ += run.count.value;
}

}  // namespace revenant::runtime
