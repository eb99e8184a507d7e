#include "runtime/live_statistics.h"

#include <cstddef>
#include <span>
#include <string>

#include "store/hash.h"

namespace revenant::runtime {

std::uint64_t live_layout() {
  std::string layout = std::to_string(sizeof(LiveStatistics)) + ' ' +
                       std::to_string(offsetof(LiveStatistics, snapshots)) + ' ' +
                       std::to_string(offsetof(SnapshotCounters, commits_us));
  using Figures =
      boost::describe::describe_members<vm::MemoryStatistics, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Figures>([&](auto figure) { layout += std::string(" ") + figure.name; });
  for (std::size_t rank = 0; rank < base::kLockRanks; ++rank) {
    layout += std::string(" ") + base::to_string(static_cast<base::LockRank>(rank));
  }
  return store::hash_bytes(std::as_bytes(std::span(layout))).low;
}

}  // namespace revenant::runtime
