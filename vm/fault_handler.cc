#include "vm/fault_handler.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kOnePage{1};
constexpr base::PageCount kMaxZeroPages{32};
// Sixteen frames on the alternate stack; images cost their fetch each, so guessing wrong is dearer.
constexpr base::PageCount kMaxImagePages{16};

// What zeros are copied from. Never written: the kernel maps its one zero page for all of it.
alignas(base::kPageSize) std::byte zero_pages[kMaxZeroPages.value * base::kPageSize];

FaultReason reason_of(ForbiddenReason reason) {
  switch (reason) {
    case ForbiddenReason::kGuard:
      return FaultReason::kGuard;
    case ForbiddenReason::kFreed:
      return FaultReason::kFreed;
    case ForbiddenReason::kUnmapped:
      return FaultReason::kUnmapped;
  }
  return FaultReason::kUnmapped;
}

constexpr FaultHandler::Outcome kResume{.resume = true};

FaultHandler::Outcome refuse(FaultReason reason, const char* segment = "") {
  return {.resume = false, .reason = reason, .segment = segment};
}

}  // namespace

const char* to_string(FaultReason reason) noexcept {
  switch (reason) {
    case FaultReason::kGuard:
      return "the guard below a stack was reached: the stack overflowed";
    case FaultReason::kFreed:
      return "the memory was given back";
    case FaultReason::kUnmapped:
      return "the memory was never given out";
    case FaultReason::kDamaged:
      return "the page's image in the store is damaged";
    case FaultReason::kUnavailable:
      return "the page's image cannot be read: the store met an I/O error and could not be opened "
             "again before the program ended";
    case FaultReason::kProtection:
      return "this kind of access is not allowed there";
    case FaultReason::kOutside:
      return "the address is not in the persistent space";
    case FaultReason::kNoMemory:
      return "the host has no memory left for the page";
  }
  return "";
}

FaultHandler::Outcome FaultHandler::resolve(const Fault& fault, ReadAhead* ahead) noexcept {
  const base::PageNumber page = base::PageNumber::of(fault.address);
  if (!space_.contains(page)) return refuse(FaultReason::kOutside);
  const Outcome outcome =
      fault.is_missing ? resolve_missing(fault, page, ahead) : resolve_refused(fault, page);
  if (!outcome.resume) counters_.fatal.fetch_add(1, std::memory_order_relaxed);
  return outcome;
}

FaultHandler::Outcome FaultHandler::resolve_refused(const Fault& fault,
                                                    base::PageNumber page) noexcept {
  if (fault.is_write && tracker_->resolve_write(page)) {
    counters_.warmed.fetch_add(1, std::memory_order_relaxed);
    return kResume;
  }
  const Segment* segment = segments_.find(page);
  return refuse(FaultReason::kProtection, segment == nullptr ? "" : segment->name);
}

FaultHandler::Outcome FaultHandler::resolve_missing(const Fault& fault, base::PageNumber page,
                                                    ReadAhead* ahead) noexcept {
  counters_.faults.fetch_add(1, std::memory_order_relaxed);
  const Segment* segment = segments_.find(page);
  if (segment == nullptr) return refuse(FaultReason::kUnmapped);
  Plan plan{.page = page, .segment = segment, .mark = released_.sequence()};
  plan.ticket = segment->rule->ticket_of(page);
  if (plan.ticket.kind == Ticket::Kind::kForbidden) {
    return refuse(reason_of(plan.ticket.reason), segment->name);
  }
  plan.run = {page, kOnePage};
  if (ahead != nullptr) {
    const base::PageCount limit = reads_zeros(plan.ticket) ? kMaxZeroPages : kMaxImagePages;
    plan.run = alike(ahead->window_for(page, limit), plan);
  }
  tracker_->note_fill(plan.run);
  return reads_zeros(plan.ticket) ? fill_zeros(plan, fault.is_write) : fill_images(plan);
}

bool FaultHandler::reads_zeros(const Ticket& ticket) const noexcept {
  return ticket.kind == Ticket::Kind::kZeroFill ||
         (ticket.kind == Ticket::Kind::kStored &&
          ticket.not_before.value >= open_epoch_.load(std::memory_order_acquire));
}

base::PageRun FaultHandler::alike(base::PageRun window, const Plan& plan) const noexcept {
  const bool zeros = reads_zeros(plan.ticket);
  const auto belongs = [&](base::PageNumber page) {
    if (!plan.segment->pages.contains(page)) return false;
    const Ticket ticket = plan.segment->rule->ticket_of(page);
    return zeros ? reads_zeros(ticket) : ticket == plan.ticket;
  };
  base::PageRun run{plan.page, kOnePage};
  while (run.first > window.first && belongs(run.first - kOnePage)) {
    run = {run.first - kOnePage, {run.count.value + 1}};
  }
  while (run.end() < window.end() && belongs(run.end())) run.count += kOnePage;
  return run;
}

FaultHandler::Outcome FaultHandler::fill_zeros(const Plan& plan, bool is_write) noexcept {
  // A write to a cold chunk is refused before its page is found missing: there this is a read,
  // unless the chunk was cooled meanwhile, and then the write is still to be refused.
  const bool dirty = is_write && !tracker_->is_cold(plan.page);
  return put(plan, zero_pages, dirty ? Uffd::FillMode::kDirty : Uffd::FillMode::kClean,
             counters_.zero_pages);
}

FaultHandler::Outcome FaultHandler::fill_images(const Plan& plan) noexcept {
  alignas(base::kPageSize) std::byte frames[kMaxImagePages.value][base::kPageSize];
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < plan.run.count.value; ++i) {
    const base::PageNumber page = plan.run.first + base::PageCount{i};
    const auto fetched = source_->fetch(page, plan.ticket.not_before, frames[i]);
    const bool damaged = fetched == PageSource::Outcome::kDamaged;
    if (damaged || fetched == PageSource::Outcome::kUnavailable) {
      // Such a neighbour stays missing until it is touched itself.
      if (page == plan.page) {
        return refuse(damaged ? FaultReason::kDamaged : FaultReason::kUnavailable,
                      plan.segment->name);
      }
      if (page > plan.page) break;
      first = i + 1;
    } else if (fetched == PageSource::Outcome::kAbsent) {
      std::memset(frames[i], 0, base::kPageSize);
    }
    end = i + 1;
  }
  Plan whole = plan;
  whole.run = {plan.run.first + base::PageCount{first}, {end - first}};
  return put(whole, frames[first], Uffd::FillMode::kClean, counters_.stored_pages);
}

FaultHandler::Outcome FaultHandler::put(const Plan& plan, const std::byte* source,
                                        Uffd::FillMode mode,
                                        std::atomic<std::uint64_t>& counter) noexcept {
  const base::PageRun touched{plan.page, kOnePage};
  Uffd::Filled filled{.refused = true};
  if (plan.run != touched) {
    released_.fill_unless_released(plan.mark, [&] { filled = uffd_.fill(plan.run, source, mode); });
  }
  // Only the touched page is certain once something was released, or memory is short.
  if (filled.refused) {
    const std::byte* frame = source + (plan.page - plan.run.first).bytes();
    const Uffd::Filled one = uffd_.fill(touched, frame, mode);
    if (one.refused) return refuse(FaultReason::kNoMemory, plan.segment->name);
    filled.pages += one.pages;
    filled.raced += one.raced;
  }
  counter.fetch_add(filled.pages, std::memory_order_relaxed);
  counters_.raced_pages.fetch_add(filled.raced, std::memory_order_relaxed);
  return kResume;
}

}  // namespace revenant::vm
