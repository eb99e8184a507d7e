#include "vm/segment.h"

#include <string>

#include "base/check.h"
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
  std::uint32_t free = count;
  for (std::uint32_t i = 0; i < count; ++i) {
    const base::PageRun other = unpack(entries_[i].run.load(std::memory_order_relaxed));
    if (other.count.value == 0) free = i;
    if (other.overlaps(added.pages)) {  // I1
      return refused(added, "overlaps the segment '" + std::string(entries_[i].segment.name) +
                                "': give each its own pages");
    }
  }
  if (free == kCapacity) {
    return refused(added, "is one too many: the table holds " + std::to_string(kCapacity));
  }
  entries_[free].segment = added;
  entries_[free].run.store(pack(added.pages), std::memory_order_release);  // I3
  if (free == count) count_.store(count + 1, std::memory_order_release);
  return {};
}

Segment SegmentTable::remove(base::PageNumber first) {
  base::LockGuard guard(lock_);
  for (Entry& entry : entries_) {
    const base::PageRun run = unpack(entry.run.load(std::memory_order_relaxed));
    if (run.count.value == 0 || run.first != first) continue;
    entry.run.store(0, std::memory_order_release);
    return entry.segment;
  }
  REVENANT_CHECK(false, "no segment begins at page %#zx", first.value);
  __builtin_unreachable();
}

void SegmentTable::clear() {
  base::LockGuard guard(lock_);
  count_.store(0, std::memory_order_release);
  for (Entry& entry : entries_) entry.run.store(0, std::memory_order_release);
}

}  // namespace revenant::vm
