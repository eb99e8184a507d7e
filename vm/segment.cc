#include "vm/segment.h"

#include <string>

#include "vm/space.h"

namespace revenant::vm {
namespace {

base::Error refused(const Segment& added, const std::string& why) {
  return {base::ErrorCode::kUsage, "the segment '" + std::string(added.name) + "' " + why};
}

}  // namespace

base::Status SegmentTable::add(const Segment& added) {
  base::LockGuard guard(lock_);
  const std::uint32_t count = count_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < count; ++i) {
    const base::PageRun& other = entries_[i].pages;
    if (added.pages.first < other.end() && other.first < added.pages.end()) {  // I1
      return refused(added, "overlaps the segment '" + std::string(entries_[i].name) +
                                "': give each its own pages");
    }
  }
  if (count == kCapacity) {
    return refused(added, "is one too many: the table holds " + std::to_string(kCapacity));
  }
  entries_[count] = added;
  count_.store(count + 1, std::memory_order_release);  // I3
  return {};
}

void SegmentTable::clear() {
  base::LockGuard guard(lock_);
  count_.store(0, std::memory_order_release);
}

}  // namespace revenant::vm
