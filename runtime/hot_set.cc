#include "runtime/hot_set.h"

#include <algorithm>

namespace revenant::runtime {
namespace {

void append_page(std::vector<base::PageRun>& runs, base::PageNumber page) {
  if (!runs.empty() && runs.back().end() == page) {
    runs.back().count += base::PageCount{1};
  } else {
    runs.push_back({page, base::PageCount{1}});
  }
}

// Keeps the longest runs, in order of address; the pages of the others go to `dropped`.
void keep_longest(std::vector<base::PageRun>& runs, std::size_t most,
                  std::vector<base::PageRun>& dropped) {
  if (runs.size() <= most) return;
  std::nth_element(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(most), runs.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  dropped.assign(runs.begin() + static_cast<std::ptrdiff_t>(most), runs.end());
  runs.resize(most);
  std::sort(runs.begin(), runs.end());
}

}  // namespace

void HotSet::pin(const base::PageRun& run) {
  for (base::PageNumber page = run.first; page < run.end(); ++page) {
    history_[page.value] = {.hot = true, .pinned = true};
    ++pinned_pages_;
  }
  std::vector<base::PageRun> none;
  rebuild(none);
}

bool HotSet::is_pinned(base::PageNumber page) const {
  const auto found = history_.find(page.value);
  return found != history_.end() && found->second.pinned;
}

void HotSet::learn(std::vector<base::PageRun>& cooled) {
  bool changed = false;
  boost::unordered::erase_if(history_, [&](auto& each) {
    History& history = each.second;
    const bool was_hot = history.hot;
    const bool keep = advance(history);
    changed |= was_hot != history.hot;
    if (was_hot && !history.hot) cooled.push_back({base::PageNumber{each.first}, {1}});
    return !keep;
  });
  if (changed) rebuild(cooled);
}

// One stop further; false when there is nothing left to remember.
bool HotSet::advance(History& history) {
  const bool dirty = history.dirty_now;
  history.dirty_now = false;
  if (history.pinned) return true;
  if (!history.hot) {
    if (!dirty) return false;
    if (++history.streak >= kHeatingStops) history = {.hot = true};
    return true;
  }
  history.streak = dirty ? 0 : static_cast<std::uint8_t>(history.streak + 1);
  if (history.streak >= kCoolingStops) history.hot = false;
  return history.hot;
}

void HotSet::rebuild(std::vector<base::PageRun>& cooled) {
  std::vector<std::uint64_t> pages;
  for (const auto& [page, history] : history_) {
    if (history.hot) pages.push_back(page);
  }
  std::sort(pages.begin(), pages.end());
  runs_.clear();
  for (const std::uint64_t page : pages) append_page(runs_, base::PageNumber{page});
  std::vector<base::PageRun> dropped;
  keep_longest(runs_, kMaxRuns, dropped);  // I1
  for (const base::PageRun& run : dropped) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) history_.erase(page.value);
    cooled.push_back(run);
  }
  hot_pages_ = 0;
  for (const base::PageRun& run : runs_) hot_pages_ += run.count.value;
}

}  // namespace revenant::runtime
