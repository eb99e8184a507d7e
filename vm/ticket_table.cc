#include "vm/ticket_table.h"

#include <algorithm>

#include "base/check.h"
#include "vm/volatile_stack.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kOnePage{1};

constexpr base::PageRun run_between(base::PageNumber first, base::PageNumber end) {
  return {first, end - first};
}

constexpr base::PageRun overlap(base::PageRun a, base::PageRun b) {
  return run_between(std::max(a.first, b.first), std::min(a.end(), b.end()));
}

}  // namespace

base::Status TicketTable::open(base::PageRun pages) {
  const base::LockGuard guard(lock_);
  REVENANT_TRY(pool_.open());
  REVENANT_TRY(directory_.open(pages));
  const Number untouched = pool_.make({}, {}, Ticket::zero_fill(), true);
  REVENANT_CHECK(untouched == kUntouched.number);
  return {};
}

TicketOwner TicketTable::add_owner() {
  const base::LockGuard guard(lock_);
  return pool_.add_owner();
}

std::uint64_t TicketTable::count_of(TicketOwner owner) const {
  const base::LockGuard guard(lock_);
  return pool_.count_of(owner);
}

void TicketTable::end(TicketOwner owner, GiveBack give_back) {
  on_volatile_stack([this, owner, give_back] { end_here(owner, give_back); });
}

void TicketTable::end_here(TicketOwner owner, GiveBack give_back) {
  const base::LockGuard guard(lock_);
  while (const Number number = pool_.first_of(owner)) {
    const internal::TicketCopy gone = pool_.read(number);
    if (gone.ticket.kind == Ticket::Kind::kParked) give_back(gone.extent, gone.ticket);
    if (!gone.lone) directory_.paint(gone.extent, gone.extent, 0);
    pool_.retire(number);
  }
  bury();
  pool_.remove_owner(owner);
}

void TicketTable::set(TicketOwner owner, base::PageRun run, const Ticket& ticket,
                      GiveBack give_back) {
  if (run.count.value == 0) return;
  on_volatile_stack(
      [this, owner, run, ticket, give_back] { set_here(owner, run, ticket, give_back); });
}

void TicketTable::set_here(TicketOwner owner, base::PageRun run, Ticket ticket,
                           GiveBack give_back) {
  const base::LockGuard guard(lock_);
  carve(owner, run, give_back);
  const Number left = run.first > directory_.pages().first
                          ? equal_at(owner, run.first - kOnePage, ticket)
                          : Number{0};
  const Number right =
      run.end() < directory_.pages().end() ? equal_at(owner, run.end(), ticket) : Number{0};
  const base::PageRun before = left == 0 ? base::PageRun{run.first, {}} : pool_.extent_of(left);
  const base::PageRun after = right == 0 ? base::PageRun{run.end(), {}} : pool_.extent_of(right);
  const base::PageRun all = run_between(before.first, after.end());  // I2
  // The larger neighbour stays: fewer slots change.
  const bool left_stays = before.count >= after.count;
  const Number staying = left_stays ? left : right;
  const Number number = staying != 0 ? staying : pool_.make(owner, all, ticket, false);
  pool_.set_extent(number, all);
  directory_.paint(run, all, number);
  const Number joining = left_stays ? right : left;
  if (joining != 0) {
    directory_.paint(left_stays ? after : before, all, number);
    pool_.retire(joining);
  }
  bury();
}

void TicketTable::erase(TicketOwner owner, base::PageRun run, GiveBack give_back) {
  if (run.count.value == 0) return;
  on_volatile_stack([this, owner, run, give_back] { erase_here(owner, run, give_back); });
}

void TicketTable::erase_here(TicketOwner owner, base::PageRun run, GiveBack give_back) {
  const base::LockGuard guard(lock_);
  carve(owner, run, give_back);
  directory_.paint(run, run, 0);
  bury();
}

void TicketTable::carve(TicketOwner owner, base::PageRun run, GiveBack give_back) {
  base::PageNumber page = run.first;
  while (page < run.end()) {
    const Number number = directory_.at(page);
    if (number == 0) {
      page = directory_.slot_of(page).end();
      continue;
    }
    const internal::TicketCopy found = pool_.read(number);
    REVENANT_CHECK(found.owner == owner, "page %#zx is owner %u's, not %u's", page.value,
                   found.owner.index, owner.index);  // I3
    if (found.ticket.kind == Ticket::Kind::kParked) {
      give_back(overlap(found.extent, run), found.ticket);
    }
    trim(found, run);
    page = found.extent.end();
  }
}

void TicketTable::trim(const internal::TicketCopy& cut, base::PageRun run) {
  const Number number = cut.reference.number;
  const base::PageRun before = run_between(cut.extent.first, std::max(cut.extent.first, run.first));
  const base::PageRun after = run_between(std::min(cut.extent.end(), run.end()), cut.extent.end());
  if (before.count.value == 0 && after.count.value == 0) return pool_.retire(number);
  const base::PageRun larger = before.count >= after.count ? before : after;
  const base::PageRun smaller = before.count >= after.count ? after : before;
  pool_.set_extent(number, larger);
  if (smaller.count.value == 0) return;
  directory_.paint(smaller, smaller, pool_.make(cut.owner, smaller, cut.ticket, false));
}

TicketTable::Number TicketTable::equal_at(TicketOwner owner, base::PageNumber page,
                                          const Ticket& ticket) const {
  const Number number = directory_.at(page);
  if (number == 0) return 0;
  const internal::TicketCopy found = pool_.read(number);
  return found.owner == owner && found.ticket == ticket ? number : 0;
}

void TicketTable::bury() {
  // Before anything is used again: a reader that meets it counts again, too.
  departures_.store(departures_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  pool_.bury();
  directory_.bury();
}

std::optional<Ticket> TicketTable::find(base::PageNumber page) const noexcept {
  if (!directory_.pages().contains(page)) return std::nullopt;
  for (;;) {
    const std::uint64_t begun = departures_.load(std::memory_order_acquire);
    const Number number = directory_.at(page);
    const internal::TicketCopy found = number == 0 ? internal::TicketCopy{} : pool_.read(number);
    if (departures_.load(std::memory_order_relaxed) != begun) continue;
    if (number == 0) return std::nullopt;
    return found.ticket;
  }
}

std::optional<base::PageRun> TicketTable::extent_at(base::PageNumber page) const {
  const base::LockGuard guard(lock_);
  const Number number = directory_.at(page);
  if (number == 0) return std::nullopt;
  return pool_.extent_of(number);
}

TicketReference TicketTable::make_lone(TicketOwner owner, base::PageNumber page,
                                       const Ticket& ticket) {
  const base::LockGuard guard(lock_);
  return pool_.read(pool_.make(owner, {page, kOnePage}, ticket, true)).reference;
}

internal::TicketCopy TicketTable::copy_of(TicketReference reference) const noexcept {
  const internal::TicketCopy found = pool_.read(reference.number);
  REVENANT_CHECK(found.in_use && found.reference == reference,
                 "ticket %u is of generation %u, and the reference to it of %u", reference.number,
                 found.reference.generation, reference.generation);  // I4
  return found;
}

Ticket TicketTable::get(TicketReference reference) const noexcept {
  return copy_of(reference).ticket;
}

Ticket TicketTable::take_lone(TicketReference reference) {
  const base::LockGuard guard(lock_);
  const internal::TicketCopy taken = copy_of(reference);
  REVENANT_CHECK(taken.lone && reference != kUntouched, "ticket %u is not a lone page's",
                 reference.number);
  pool_.retire(reference.number);
  pool_.bury();  // no slot names it: no departure
  return taken.ticket;
}

TicketStatistics TicketTable::statistics() const {
  const base::LockGuard guard(lock_);
  TicketStatistics all{.nodes = directory_.nodes(),
                       .bytes = pool_.used_bytes() + directory_.used_bytes()};
  for (unsigned owner = 1; owner < internal::TicketPool::kMaxOwners; ++owner) {
    all.tickets += pool_.count_of({static_cast<std::uint8_t>(owner)});
  }
  return all;
}

void TicketTable::check_invariants() const {
  const base::LockGuard guard(lock_);
  directory_.check_invariants(pool_);
  for (unsigned index = 1; index < internal::TicketPool::kMaxOwners; ++index) {
    const TicketOwner owner{static_cast<std::uint8_t>(index)};
    std::uint64_t count = 0;
    for (Number number = pool_.first_of(owner); number != 0; number = pool_.after(number)) {
      const internal::TicketCopy each = pool_.read(number);
      ++count;
      REVENANT_CHECK(each.in_use && each.owner == owner, "ticket %u", number);  // I3
      if (each.lone) continue;
      // The directory's own check has shown that what names a ticket lies in its extent; all of it
      // does if each slot on the way from its first page to its end does.
      for (base::PageNumber page = each.extent.first; page < each.extent.end();
           page = directory_.slot_of(page).end()) {
        REVENANT_CHECK(directory_.at(page) == number, "page %#zx", page.value);  // I1
      }
      REVENANT_CHECK(each.extent.end() == directory_.pages().end() ||
                         equal_at(owner, each.extent.end(), each.ticket) == 0,
                     "equal neighbours at page %#zx", each.extent.end().value);  // I2
    }
    REVENANT_CHECK(count == pool_.count_of(owner), "%zu tickets", count);
  }
}

}  // namespace revenant::vm
