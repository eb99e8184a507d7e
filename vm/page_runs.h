// Looking pages up in runs that are sorted and disjoint.
#pragma once

#include <algorithm>
#include <span>

#include "base/result.h"
#include "base/units.h"

namespace revenant::vm {

// The first run that ends after `page`: the one that holds it, or the next.
[[nodiscard]] inline std::span<const base::PageRun>::iterator run_from(
    std::span<const base::PageRun> runs, base::PageNumber page) {
  return std::lower_bound(
      runs.begin(), runs.end(), page,
      [](const base::PageRun& run, base::PageNumber wanted) { return run.end() <= wanted; });
}

[[nodiscard]] inline bool any_contains(std::span<const base::PageRun> runs, base::PageNumber page) {
  const auto run = run_from(runs, page);
  return run != runs.end() && run->contains(page);
}

// Calls visit(PageRun) for each part of `pages` that lies outside `excluded`, until one fails.
template <class Visit>
[[nodiscard]] base::Status visit_outside(base::PageRun pages,
                                         std::span<const base::PageRun> excluded, Visit visit) {
  base::PageNumber at = pages.first;
  for (auto hole = run_from(excluded, at); hole != excluded.end() && hole->first < pages.end();
       ++hole) {
    if (at < hole->first) REVENANT_TRY(visit(base::PageRun{at, hole->first - at}));
    at = hole->end();
  }
  if (at >= pages.end()) return {};
  return visit(base::PageRun{at, pages.end() - at});
}

}  // namespace revenant::vm
