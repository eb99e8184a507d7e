// What snapshots and the modified writer ask of the pager.
#include <sched.h>

#include <chrono>
#include <cstring>

#include "vm/pager.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kOnePage{1};
constexpr std::chrono::milliseconds kLongestSettling{500};

}  // namespace

bool Pager::copy_outside(base::PageNumber page, std::byte* frame) noexcept {
  bool copied = false;
  map_.change_run({page, kOnePage}, [&](VmMap::RunEntries& entries) {
    if (!is_outside(entries.get(page).state())) return;
    std::memcpy(frame, pool_.content_of(page), base::kPageSize);
    copied = true;
  });
  return copied;
}

void Pager::settle(base::PageNumber page, const ContentHash& hash, std::uint64_t round) noexcept {
  map_.change_run({page, kOnePage}, [&](VmMap::RunEntries& entries) {
    if (!entries.has(page)) return;
    PageEntry entry = entries.get(page);
    const auto seen =
        entry.frame() == kNoFrame ? PageLists::Seen::kPage : lists_.seen_in(round, entry.frame());
    if (seen == PageLists::Seen::kNot) return;  // another page lives there now
    entry.mark_clean(hash);
    if (entry.state() == PageState::kModified && seen == PageLists::Seen::kContent) {
      entry.take<commit_modified>();
      lists_.append(ListName::kStandby, entry.frame(), page);
    }
    entries.set(page, entry);
  });
}

std::optional<ContentHash> Pager::begin_parking(const Candidate& candidate,
                                                std::byte* frame) noexcept {
  std::optional<ContentHash> parking;
  map_.change_run({candidate.page, kOnePage}, [&](VmMap::RunEntries& entries) {
    PageEntry entry = entries.get(candidate.page);
    if (entry.state() != PageState::kModified || entry.frame() != candidate.frame) return;
    std::memcpy(frame, pool_.content_of(candidate.page), base::kPageSize);
    const ContentHash hash = source_->hash_of(frame);
    const bool judges = judges_.load(std::memory_order_acquire);
    if (judges && hash == entry.hash() && !entry.dirty()) {
      entry.take<commit_modified>();
      lists_.append(ListName::kStandby, candidate.frame, candidate.page);
    } else {
      entry.take<vm::begin_parking>();
      lists_.take_off(candidate.frame);
      parking = hash;
    }
    entries.set(candidate.page, entry);
  });
  return parking;
}

bool Pager::end_parking(const Candidate& candidate, const ContentHash& hash,
                        TicketReference parked) noexcept {
  bool ended = false;
  map_.change_run({candidate.page, kOnePage}, [&](VmMap::RunEntries& entries) {
    PageEntry entry = entries.get(candidate.page);
    if (entry.state() != PageState::kInTransit || entry.frame() != candidate.frame) return;
    entry.mark_uncommitted(hash);
    entry.take<vm::end_parking>();
    counters_.parked_pages.fetch_add(1, std::memory_order_relaxed);
    entry.set_ticket(parked);
    entries.set(candidate.page, entry);
    lists_.retire({&candidate.frame, 1});
    free_discarded(pool_.discard_later({candidate.page, kOnePage}));
    ended = true;
  });
  if (ended) counters_.written_pages.fetch_add(1, std::memory_order_relaxed);
  return ended;
}

void Pager::give_up_parking(const Candidate& candidate) noexcept {
  map_.change_run({candidate.page, kOnePage}, [&](VmMap::RunEntries& entries) {
    PageEntry entry = entries.get(candidate.page);
    if (entry.frame() != candidate.frame) return;
    if (entry.state() == PageState::kInTransit) {
      entry.take<abandon_parking>();
      entries.set(candidate.page, entry);
    }
    if (entry.state() != PageState::kModified) return;
    lists_.append(ListName::kModified, candidate.frame, candidate.page);
  });
}

bool Pager::wants_parked(base::PageNumber page, TicketReference parked,
                         const ContentHash& hash) const noexcept {
  const auto entry = map_.find(page);
  if (!entry.has_value()) return false;
  if (entry->state() == PageState::kParked) return entry->ticket() == parked;
  return entry->dirty() && entry->hash() == hash;  // brought in again, and perhaps not changed
}

bool Pager::settles_soon(base::PageNumber page, const PageEntry& entry) const noexcept {
  const auto end = std::chrono::steady_clock::now() + kLongestSettling;
  while (map_.find(page) == entry) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::sched_yield();
  }
  return true;
}

void Pager::commit_parked(base::PageNumber page, const ContentHash& hash) noexcept {
  map_.change_run({page, kOnePage}, [&](VmMap::RunEntries& entries) {
    PageEntry entry = entries.get(page);
    if (!entry.dirty() || entry.hash() != hash) return;  // given back, or captured anew
    entry.mark_clean(hash);
    if (entry.state() == PageState::kParked) {
      entry.take<vm::commit_parked>();
      counters_.parked_pages.fetch_sub(1, std::memory_order_relaxed);
    }
    entries.set(page, entry);
  });
}

}  // namespace revenant::vm
