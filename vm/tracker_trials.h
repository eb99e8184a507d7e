// Which trackers this host would let a program have: each tried, on memory of its own.
//
// Threads: any. Errors: none; what does not work says why.
#pragma once

#include <string>
#include <vector>

namespace revenant::vm {

struct TrackerTrial {
  std::string name;  // "async", "sync" or "mprotect", the cheapest first
  bool works = false;
  bool user_mode_only = false;
  std::string why_not;  // a sentence, where it does not
};

[[nodiscard]] std::vector<TrackerTrial> try_trackers();

}  // namespace revenant::vm
