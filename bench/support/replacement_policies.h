// Page replacement policies as the literature has them, simulated: what the pager is held against.
//
//   fifo      what came first goes first
//   clock     FIFO, but a page that was referenced since it was passed is passed again (Corbato,
//             "A Paging Experiment with the Multics System", 1968)
//   lru       what was referenced the longest ago goes first
//   2q        what is new waits in a FIFO of a quarter of the frames; what is asked for again soon
//             after it left that, goes to an LRU queue (Johnson and Shasha, VLDB 1994)
//   sfifo_N   a FIFO of active pages, then one of 1/N of the frames, of which a reference makes
//             active again (Turner and Levy, SIGMETRICS 1981; VMS)
//   opt       what is referenced the farthest in the future goes first (Belady, 1966): the bound
//
// clock, lru and 2q see every reference, opt the future, too. fifo and sfifo see faults only.
//
// Threads: one. Errors: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace revenant::bench {

using References = std::vector<std::uint32_t>;

class ReplacementPolicy {
 public:
  virtual ~ReplacementPolicy() = default;
  // The next reference of the string. Whether its page was in memory; it is from now on.
  virtual bool touch(std::uint32_t page) = 0;
};

struct NamedPolicy {
  std::string_view name;
  // `frames` of memory for `pages` pages, which `references` will touch.
  std::unique_ptr<ReplacementPolicy> (*make)(std::size_t frames, std::uint32_t pages,
                                             const References& references);
};

[[nodiscard]] const std::vector<NamedPolicy>& replacement_policies();

}  // namespace revenant::bench
