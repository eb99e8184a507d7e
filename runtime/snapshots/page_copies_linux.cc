#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "runtime/snapshots/page_copies.h"
#include "vm/space.h"
#include "vm/volatile_memory.h"

namespace revenant::runtime {
namespace {

// Address space for as many pages as the space can hold; frames come as they are used.
constexpr std::size_t kArenaBytes = vm::kSpaceSize;
// What trim() leaves resident, and how often it looks: what is given back and needed again costs
// ten times a copy.
constexpr std::size_t kKeptSlots = std::size_t{64} * 1024;
constexpr int kTrimEvery = 64;

}  // namespace

PageCopies::~PageCopies() { vm::release_volatile(arena_, kArenaBytes); }

base::Status PageCopies::open(vm::Pager& outside) {
  outside_ = &outside;
  REVENANT_ASSIGN(arena_, vm::reserve_volatile(kArenaBytes, "page copies"));
  // Copies go to each page once: with small pages, each would miss the TLB first.
  vm::prefer_huge_pages(arena_, kArenaBytes);
  return {};
}

void PageCopies::reserve(std::size_t more_pages) {
  const std::size_t wanted = pages_.size() + more_pages;
  needed_slots_ = std::max(needed_slots_, wanted);
  pages_.reserve(wanted);
  slots_.reserve(wanted);
  fault_in(wanted);
}

void PageCopies::fault_in(std::size_t slots) {
  for (; resident_slots_ < slots; ++resident_slots_) *address_of(resident_slots_) = std::byte{1};
}

void PageCopies::copy(base::PageNumber page) {
  const auto [found, added] =
      slots_.try_emplace(page.value, static_cast<std::uint32_t>(pages_.size()));
  const std::uint32_t slot = found->second;  // I1
  if (added) pages_.push_back(page);
  resident_slots_ = std::max<std::size_t>(resident_slots_, slot + 1);
  if (copy_page(page, address_of(slot))) return;
  pages_[slot].value = kVacant;
  slots_.erase(page.value);
}

// Wherever the page is: it may be taken out or come back between two looks.
bool PageCopies::copy_page(base::PageNumber page, std::byte* frame) const {
  if (vm::copy_if_present(page, frame)) return true;
  return outside_->has_budget() &&
         (outside_->copy_outside(page, frame) || vm::copy_if_present(page, frame));
}

void PageCopies::append(SharedCopy& planned) {
  const std::size_t own = pages_.size();
  const std::size_t helped = own + planned.pages();
  planned.copy(address_of(own), address_of(helped));
  pages_.resize(helped + planned.pages(), base::PageNumber{kVacant});
  resident_slots_ = std::max(resident_slots_, pages_.size());
  planned.for_each([&](base::PageNumber page, bool by_helper,
                       std::size_t frame) { pages_[(by_helper ? helped : own) + frame] = page; },
                   [&](base::PageNumber page) {
                     if (outside_->has_budget()) copy(page);
                   });
}

void PageCopies::refresh_run(const base::PageRun& run) {
  if (run.count.value <= slots_.size()) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      if (slots_.contains(page.value)) copy(page);
    }
    return;
  }
  for (const base::PageNumber page : std::vector<base::PageNumber>(pages_)) {
    if (page.value != kVacant && run.contains(page)) copy(page);
  }
}

void PageCopies::clear() {
  needed_slots_ = std::max(needed_slots_, pages_.size());
  pages_.clear();
  slots_.clear();
}

void PageCopies::trim() {
  if (++epochs_ < kTrimEvery) return;
  const std::size_t kept = std::max(kKeptSlots, needed_slots_);
  if (kept < resident_slots_) {
    ::madvise(address_of(kept), (resident_slots_ - kept) * base::kPageSize, MADV_DONTNEED);
    resident_slots_ = kept;
  }
  epochs_ = 0;
  needed_slots_ = 0;
}

}  // namespace revenant::runtime
