// A pager that is nothing but the kernel's operations: the peer in benches of faults and paging.
//
// A signal handler that fills the page that was touched, with no map, no tickets, no lists, no
// hashes and no neighbours. Contents come from zeros, from memory, from another place (moved), or
// from a file, and then the page that came in the longest ago goes.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/units.h"
#include "vm/uffd_linux.h"

namespace revenant::bench {

class BarePager {
 public:
  enum class Contents { kZeros, kMemory, kMoved, kFile };

  // `file`: a descriptor of the pages' contents; `resident`: how many may be in memory, for kFile.
  BarePager(std::uint64_t pages, int file, std::uint64_t resident);

  [[nodiscard]] base::PageRun pages() const { return pages_; }
  void set_contents(Contents contents) { contents_ = contents; }
  // All pages are missing; those of kMoved lie beside.
  void take_out();

 private:
  static void on_fault(int signal, siginfo_t* info, void* context);
  void fill(base::PageNumber page) noexcept;
  void evict_oldest_for(base::PageNumber page) noexcept;

  base::PageRun pages_;
  base::PageRun beside_;
  vm::Uffd uffd_;
  Contents contents_ = Contents::kZeros;
  int file_;
  std::vector<std::uint64_t> queue_;  // of those in memory, a ring
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace revenant::bench
