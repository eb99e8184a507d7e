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

// The pages [first, end) of `run`, counted from its first.
base::PageRun part_of(base::PageRun run, std::uint64_t first, std::uint64_t end) {
  return {run.first + base::PageCount{first}, {end - first}};
}

// Calls fill(part) for the parts of `run`, of at most `limit` pages, until one does not resume.
template <class Fill>
FaultHandler::Outcome in_parts(base::PageRun run, base::PageCount limit, Fill fill) {
  for (std::uint64_t at = 0; at < run.count.value; at += limit.value) {
    const FaultHandler::Outcome outcome =
        fill(part_of(run, at, std::min(at + limit.value, run.count.value)));
    if (!outcome.resume) return outcome;
  }
  return kResume;
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
      return "the host has no memory left for the page, or no mapping (raise vm.max_map_count)";
  }
  return "";
}

Trap FaultHandler::classify(const Access& access) const noexcept {
  return space_.contains(access.page()) ? tracker_->classify(access) : Trap::kForbidden;
}

FaultHandler::Outcome FaultHandler::resolve(const Access& access, Trap trap,
                                            ReadAhead* ahead) noexcept {
  switch (trap) {
    case Trap::kMissing:
      return resolve_missing(access, ahead);
    case Trap::kWrite:
      return resolve_write(access.page());
    case Trap::kSettled:
      return kResume;
    case Trap::kForbidden:
      break;
  }
  const bool inside = space_.contains(access.page());
  return refuse(inside ? FaultReason::kProtection : FaultReason::kOutside, access.page());
}

FaultHandler::Outcome FaultHandler::refuse(FaultReason reason, base::PageNumber page) noexcept {
  counters_.fatal.fetch_add(1, std::memory_order_relaxed);
  const Segment* segment = segments_.find(page);
  return {.resume = false, .reason = reason, .segment = segment == nullptr ? "" : segment->name};
}

FaultHandler::Outcome FaultHandler::resolve_write(base::PageNumber page) noexcept {
  if (!tracker_->resolve_write(page)) return refuse(FaultReason::kProtection, page);
  counters_.refused_writes.fetch_add(1, std::memory_order_relaxed);
  return kResume;
}

FaultHandler::Outcome FaultHandler::resolve_missing(const Access& access,
                                                    ReadAhead* ahead) noexcept {
  counters_.faults.fetch_add(1, std::memory_order_relaxed);
  const base::PageNumber page = access.page();
  const Segment* segment = segments_.find(page);
  if (segment == nullptr) return refuse(FaultReason::kUnmapped, page);
  Plan plan{.page = page, .segment = segment, .mark = released_.sequence()};
  plan.ticket = segment->rule->ticket_of(page);
  if (plan.ticket.kind == Ticket::Kind::kForbidden) {
    return refuse(reason_of(plan.ticket.reason), page);
  }
  const bool zeros = reads_zeros(plan.ticket);
  plan.run = alike(window_around(page, zeros, ahead), plan);
  return zeros ? fill_zeros(plan, access.is_write()) : fill_images(plan);
}

base::PageRun FaultHandler::window_around(base::PageNumber page, bool zeros,
                                          ReadAhead* ahead) const noexcept {
  if (tracker_->wants_whole_chunks()) return space_.pages_of({space_.chunk_of(page), 1});
  if (ahead == nullptr) return {page, kOnePage};
  return ahead->window_for(page, zeros ? kMaxZeroPages : kMaxImagePages);
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
  counters_.zero_faults.fetch_add(1, std::memory_order_relaxed);
  const FillMode mode = is_write ? FillMode::kDirty : FillMode::kClean;
  return in_parts(plan.run, kMaxZeroPages, [&](base::PageRun part) {
    return put(plan, part, zero_pages, mode, counters_.zero_pages);
  });
}

FaultHandler::Outcome FaultHandler::fill_images(const Plan& plan) noexcept {
  alignas(base::kPageSize) std::byte frames[kMaxImagePages.value][base::kPageSize];
  return in_parts(plan.run, kMaxImagePages, [&](base::PageRun part) {
    std::uint64_t first = 0;  // of those fetched and not yet put
    for (std::uint64_t i = 0; i < part.count.value; ++i) {
      const base::PageNumber page = part.first + base::PageCount{i};
      const auto fetched = source_->fetch(page, plan.ticket.not_before, frames[i]);
      if (page == plan.page) count_fetched(fetched);
      const bool damaged = fetched == PageSource::Outcome::kDamaged;
      if (fetched == PageSource::Outcome::kAbsent) {
        std::memset(frames[i], 0, base::kPageSize);
      } else if (damaged || fetched == PageSource::Outcome::kUnavailable) {
        // Such a neighbour stays missing until it is touched itself.
        if (page == plan.page) {
          return refuse(damaged ? FaultReason::kDamaged : FaultReason::kUnavailable, page);
        }
        const Outcome outcome = put_images(plan, part_of(part, first, i), frames[first]);
        if (!outcome.resume) return outcome;
        first = i + 1;
      }
    }
    return put_images(plan, part_of(part, first, part.count.value), frames[first]);
  });
}

// Of the page that was touched.
void FaultHandler::count_fetched(PageSource::Outcome fetched) noexcept {
  const bool image = fetched == PageSource::Outcome::kImage;
  if (!image && fetched != PageSource::Outcome::kAbsent) return;  // counted as fatal
  (image ? counters_.stored_faults : counters_.zero_faults).fetch_add(1, std::memory_order_relaxed);
}

FaultHandler::Outcome FaultHandler::put_images(const Plan& plan, base::PageRun part,
                                               const std::byte* frames) noexcept {
  return put(plan, part, frames, FillMode::kClean, counters_.stored_pages);
}

FaultHandler::Outcome FaultHandler::put(const Plan& plan, base::PageRun part,
                                        const std::byte* source, FillMode mode,
                                        std::atomic<std::uint64_t>& counter) noexcept {
  const base::PageRun touched{plan.page, kOnePage};
  Filled filled{.refused = true};
  if (part != touched && part.count.value != 0) {
    released_.fill_unless_released(plan.mark, [&] { filled = tracker_->fill(part, source, mode); });
  }
  // Only the touched page is certain once something was released, or memory is short.
  if (filled.refused && part.contains(plan.page)) {
    const std::byte* frame = source + (plan.page - part.first).bytes();
    const Filled one = tracker_->fill(touched, frame, mode);
    if (one.refused) return refuse(FaultReason::kNoMemory, plan.page);
    filled.pages += one.pages;
    filled.raced += one.raced;
  }
  counter.fetch_add(filled.pages, std::memory_order_relaxed);
  const std::uint64_t touched_pages = part.contains(plan.page) && filled.pages != 0 ? 1 : 0;
  counters_.ahead_pages.fetch_add(filled.pages - touched_pages, std::memory_order_relaxed);
  counters_.raced_pages.fetch_add(filled.raced, std::memory_order_relaxed);
  return kResume;
}

}  // namespace revenant::vm
