#include "page_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <new>

#include "../mix.h"

namespace pagewalk {
namespace {

// What a version adds to its block's sum.
std::uint64_t share_of(std::size_t index, Version version) { return mix(mix(index) ^ version); }

}  // namespace

// calloc, so that no page is touched before its first visit.
PageSet::PageSet(std::size_t pages)
    : memory_(std::calloc(pages + 1, kPageSize)),
      versions_(pages),
      blocks_((pages + kBlockPages - 1) / kBlockPages) {
  if (!memory_) throw std::bad_alloc();
  void* first = memory_.get();
  std::size_t space = (pages + 1) * kPageSize;
  pages_ = {static_cast<Page*>(std::align(kPageSize, pages * kPageSize, first, space)), pages};
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    blocks_[block].sum = sum_of_block(block);
  }
}

void PageSet::read(std::size_t index) {
  const std::scoped_lock guard(block_of(index).mutex);
  check(index);
}

void PageSet::write(std::size_t index) {
  Block& block = block_of(index);
  const std::scoped_lock guard(block.mutex);
  check(index);
  const Version before = versions_[index];
  stamp(pages_[index], before + 1, 0, kWords / 2);
  revenant::safepoint();
  stamp(pages_[index], before + 1, kWords / 2);
  versions_[index] = before + 1;
  block.sum += share_of(index, before + 1) - share_of(index, before);  // W2
}

void PageSet::check_versions(std::size_t index) {
  const std::size_t number = index / kBlockPages;
  const std::scoped_lock guard(blocks_[number].mutex);
  if (sum_of_block(number) == blocks_[number].sum) return;  // W2
  throw Wrong(fmt::format("the versions of pages {} to {}, at {}, are not those that were written",
                          number * kBlockPages, std::min(size(), (number + 1) * kBlockPages) - 1,
                          static_cast<const void*>(&versions_[number * kBlockPages])));
}

void PageSet::check_all(std::uint64_t writes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    if (i % kBlockPages == 0) check_versions(i);
    read(i);
    sum += versions_[i];
    revenant::safepoint();
  }
  if (sum == writes) return;  // W3
  throw Wrong(fmt::format("the pages tell of {} writes, the walkers of {}", sum, writes));
}

void PageSet::damage(Damage how) {
  write(0);
  write(1);
  const std::scoped_lock guard(blocks_[0].mutex);
  switch (how) {
    case Damage::kLost:
      return stamp(pages_[0], versions_[0] - 1);
    case Damage::kMoved:
      pages_[0] = pages_[1];
      return;
    case Damage::kTorn:
      return stamp(pages_[0], versions_[0] - 1, kWords / 2);
    case Damage::kMiscounted:
      ++versions_[1];
  }
}

void PageSet::check(std::size_t index) const {
  if (const auto fault = find_fault(pages_[index], versions_[index])) throw Wrong(*fault);  // W1
}

std::uint64_t PageSet::sum_of_block(std::size_t block) const {
  std::uint64_t sum = 0;
  const std::size_t end = std::min(size(), (block + 1) * kBlockPages);
  for (std::size_t i = block * kBlockPages; i < end; ++i) sum += share_of(i, versions_[i]);
  return sum;
}

}  // namespace pagewalk
