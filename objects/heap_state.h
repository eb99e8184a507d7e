// The persistent side of the heap that lies in the world; the rest lies where layout.h says.
#pragma once

#include <atomic>
#include <cstdint>

namespace revenant::objects {

struct RunRecord;

// The free page runs; objects/large_runs.h works on it, under kHeapRuns.
struct RunState {
  RunRecord* retained;           // treap by size: freed, frames not yet given back
  RunRecord* released;           // treap by size: frames given back, or never used
  std::uint64_t retained_pages;  // in the runs of `retained`
  std::uint64_t released_pages;  // in the runs of `released`
  std::uint64_t top;             // heap pages from here on were never carved
};

struct HeapState {
  RunState runs;
  std::atomic<std::uint64_t> ready_shards;  // a bit for each shard ever used
};

}  // namespace revenant::objects
