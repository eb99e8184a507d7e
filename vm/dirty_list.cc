#include "vm/dirty_list.h"

#include <algorithm>

#include "base/check.h"
#include "vm/space.h"
#include "vm/volatile_memory.h"

namespace revenant::vm {
namespace {

// Every other page of both windows: the most runs that do not touch.
constexpr std::size_t kCapacity = (kSpaceSize + kMaxLowSize) / base::kPageSize / 2 + 2;
constexpr std::size_t kReservedBytes =
    base::PageCount::holding(kCapacity * sizeof(base::PageRun)).bytes();

}  // namespace

DirtyList::~DirtyList() { release_volatile(reinterpret_cast<std::byte*>(runs_), kReservedBytes); }

base::Status DirtyList::open() {
  if (runs_ != nullptr) return {};
  REVENANT_ASSIGN(std::byte * memory, reserve_volatile(kReservedBytes, "a list of dirty pages"));
  runs_ = reinterpret_cast<base::PageRun*>(memory);
  return {};
}

void DirtyList::append(base::PageRun run) {
  if (run.count.value == 0) return;
  if (size_ != 0 && runs_[size_ - 1].end() == run.first) {
    runs_[size_ - 1].count += run.count;
    return;
  }
  if (size_ == sort_at_) {
    normalise();
    sort_at_ = std::min(std::max(kFirstSort, 2 * size_), kCapacity);
  }
  REVENANT_CHECK(runs_ != nullptr && size_ < kCapacity, "%zu runs", size_);  // I3
  runs_[size_++] = run;
}

void DirtyList::append_all(const DirtyList& other) {
  for (const base::PageRun& run : other.runs()) append(run);
}

void DirtyList::normalise() {
  std::sort(runs_, runs_ + size_);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (kept != 0 && runs_[i].first <= runs_[kept - 1].end()) {
      const base::PageNumber end = std::max(runs_[kept - 1].end(), runs_[i].end());
      runs_[kept - 1].count = end - runs_[kept - 1].first;
    } else {
      runs_[kept++] = runs_[i];
    }
  }
  size_ = kept;
}

base::PageCount DirtyList::pages() const {
  base::PageCount total;
  for (const base::PageRun& run : runs()) total += run.count;
  return total;
}

}  // namespace revenant::vm
