// How missing pages are filled, and what came of it.
#pragma once

#include <bit>
#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

enum class FillMode {
  kClean,   // protected, so that the first write is noted
  kDirty,   // counted as written
  kSealed,  // protected, in a segment that is never written: no harvest looks at it
};

// Pages of a run of at most 32: bit i stands for the i-th.
using PageBits = std::uint32_t;

constexpr PageBits all_of(base::PageRun run) {
  return run.count.value >= 32 ? ~PageBits{0} : (PageBits{1} << run.count.value) - 1;
}
constexpr PageBits bit_of(base::PageRun run, base::PageNumber page) {
  return PageBits{1} << (page - run.first).value;
}

// Calls act(PageRun) for each maximal part of `run` whose pages are in `pages`.
template <class Act>
void for_runs(base::PageRun run, PageBits pages, Act act) {
  while (pages != 0) {
    const int first = std::countr_zero(pages);
    const int count = std::countr_one(pages >> first);
    const base::PageRun part{run.first + base::PageCount{static_cast<std::uint64_t>(first)},
                             {static_cast<std::uint64_t>(count)}};
    act(part);
    pages &= ~(all_of(part) << first);
  }
}

struct Filled {
  std::uint64_t pages = 0;  // filled by this call
  std::uint64_t raced = 0;  // found there already
  bool refused = false;     // the kernel had no memory, or no mapping, for the rest
};

}  // namespace revenant::vm
