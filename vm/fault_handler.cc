#include "vm/fault_handler.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/check.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kOnePage{1};
constexpr base::PageCount kMaxZeroPages{32};
// Images cost their fetch each, so guessing wrong is dearer.
constexpr base::PageCount kMaxImagePages{16};
constexpr std::size_t kPartPages = VmMap::kRunPages;
static_assert(kPartPages <= PageSource::kMostFetched);

// What zeros are copied from. Never written: the kernel maps its one zero page for all of it.
alignas(base::kPageSize) std::byte zero_pages[kPartPages * base::kPageSize];

constexpr FaultHandler::Outcome kResume{.resume = true};

// Whether there is content that a page's ticket does not know of.
bool is_in_memory(const std::optional<PageEntry>& entry) {
  return entry.has_value() && entry->state() != PageState::kStored;
}

}  // namespace

FaultReason reason_of(ForbiddenReason reason) noexcept {
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
    case FaultReason::kReadOnly:
      return "the memory may only be read";
    case FaultReason::kHostFile:
      return "the file that is mapped there is not what it was";
    case FaultReason::kProtection:
      return "this kind of access is not allowed there";
    case FaultReason::kOutside:
      return "the address is not in the persistent space";
    case FaultReason::kNoMemory:
      return "the host has no memory left for the page, or no mapping (raise vm.max_map_count)";
  }
  return "";
}

const char* rule_of(FaultReason reason) noexcept {
  switch (reason) {
    case FaultReason::kGuard:
      return "guard";
    case FaultReason::kFreed:
      return "freed";
    case FaultReason::kUnmapped:
      return "unmapped";
    case FaultReason::kReadOnly:
      return "read-only";
    default:
      return "";
  }
}

Trap FaultHandler::classify(const Access& access) const noexcept {
  return space_.contains(access.page()) ? tracker_->classify(access) : Trap::kForbidden;
}

FaultHandler::Outcome FaultHandler::resolve(const Access& access, Trap trap,
                                            ReadAhead* ahead) noexcept {
  if (access.is_write() && is_sealed(access.page())) return refuse_write(access.page());
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
  pager_.counters().fatal.fetch_add(1, std::memory_order_relaxed);
  const Segment* segment = segments_.find(page);
  return {.resume = false, .reason = reason, .segment = segment == nullptr ? "" : segment->name};
}

bool FaultHandler::is_sealed(base::PageNumber page) const noexcept {
  const Segment* segment = segments_.find(page);
  return segment != nullptr && segment->access == SegmentAccess::kReadOnly;
}

FaultHandler::Outcome FaultHandler::refuse_write(base::PageNumber page) noexcept {
  const Ticket ticket = segments_.ticket_of(page);
  if (ticket.kind == Ticket::Kind::kForbidden) return refuse(reason_of(ticket.reason), page);
  return refuse(FaultReason::kReadOnly, page);
}

FaultHandler::Outcome FaultHandler::resolve_write(base::PageNumber page) noexcept {
  if (!tracker_->resolve_write(page)) return refuse(FaultReason::kProtection, page);
  pager_.counters().refused_writes.fetch_add(1, std::memory_order_relaxed);
  return kResume;
}

FaultHandler::Outcome FaultHandler::resolve_missing(const Access& access,
                                                    ReadAhead* ahead) noexcept {
  pager_.counters().faults.fetch_add(1, std::memory_order_relaxed);
  const base::PageNumber page = access.page();
  const Segment* segment = segments_.find(page);
  if (segment == nullptr) return refuse(FaultReason::kUnmapped, page);
  Plan plan{.page = page, .segment = segment, .mark = pager_.mark(), .is_write = access.is_write()};
  plan.ticket = segment->rule->ticket_of(page);
  if (plan.ticket.kind == Ticket::Kind::kForbidden) {
    return refuse(reason_of(plan.ticket.reason), page);
  }
  if (plan.ticket.read_only && access.is_write()) return refuse(FaultReason::kReadOnly, page);
  plan.zeros = reads_zeros(plan.ticket);
  plan.from_file = plan.ticket.kind == Ticket::Kind::kHostFile;
  const base::PageRun window = window_around(page, plan.zeros || plan.from_file, ahead);
  const auto entry = pager_.map().find(page);
  if (entry.has_value() && is_outside(entry->state())) {
    const base::PageNumber first = std::max(window.first, VmMap::block_of(page).first);
    const base::PageNumber end = std::min(window.end(), VmMap::block_of(page).end());
    return rescue({first, end - first}, page);
  }
  plan.run = alike(window, plan);
  return bring_parts(plan);
}

FaultHandler::Outcome FaultHandler::rescue(base::PageRun run, base::PageNumber page) noexcept {
  std::array<FrameNumber, Pager::kMostCopied> spare;
  std::size_t count = 0;
  if (run.count.value <= spare.size()) {
    // What a copy saves is not worth another page's place: without a free frame pages are moved.
    count = pager_.lists().take_free(spare.data(), run.count.value);
    if (count == 0 && pager_.settle_discarded() != 0) {
      count = pager_.lists().take_free(spare.data(), run.count.value);
    }
  }
  return pager_.rescue(run, page, {spare.data(), count}) ? kResume
                                                         : refuse(FaultReason::kNoMemory, page);
}

base::PageRun FaultHandler::window_around(base::PageNumber page, bool zeros,
                                          ReadAhead* ahead) const noexcept {
  if (tracker_->wants_whole_chunks()) return space_.pages_of({space_.chunk_of(page), 1});
  if (pager_.travels_in_blocks()) return VmMap::block_of(page);
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

// The pages of one block that are brought in at once, and what was known of them before.
struct FaultHandler::Part {
  base::PageRun run;
  std::array<std::optional<PageEntry>, kPartPages> found;
  std::array<FrameNumber, kPartPages> frames;
  std::size_t frame_count = 0;  // those not used yet, from frames[0] on
};

FaultHandler::Outcome FaultHandler::bring_parts(const Plan& plan) noexcept {
  base::PageRun rest = plan.run;
  while (rest.count.value != 0) {
    const base::PageRun block = VmMap::block_part(rest);
    rest = {block.end(), rest.end() - block.end()};
    Part part{.run = {block.first, {0}}};
    const bool is_touched = block.contains(plan.page);
    // The pages around the touched one, or the first ones, of which nothing is in memory.
    for (base::PageNumber page = block.first; page < block.end(); ++page) {
      const auto entry = pager_.map().find(page);
      if (page != plan.page && is_in_memory(entry)) {
        if (is_touched ? page > plan.page : part.run.count.value != 0) break;
        part.run = {page + kOnePage, {0}};
        continue;
      }
      part.found[part.run.count.value] = entry;
      part.run.count += kOnePage;
    }
    if (part.run.count.value == 0) continue;
    Outcome outcome = kResume;
    if (pager_.counts(part.run)) {
      part.frame_count = trimmer_.obtain(part.frames.data(), part.run.count.value, is_touched);
      if (part.frame_count == 0) continue;
    }
    const auto& entry = part.found[(plan.page - part.run.first).value % kPartPages];
    if (is_touched && entry.has_value() && entry->state() == PageState::kParked) {
      pager_.counters().parked_faults.fetch_add(1, std::memory_order_relaxed);
      outcome = bring_parked(plan, part);
    } else {
      outcome = plan.zeros       ? bring_zeros(plan, part)
                : plan.from_file ? bring_from_file(plan, part)
                                 : bring_images(plan, part);
    }
    if (part.frame_count != 0) {
      pager_.lists().give_back({part.frames.data(), part.frame_count});
      trimmer_.note_progress();
    }
    if (!outcome.resume) return outcome;
  }
  return kResume;
}

void FaultHandler::count_fetched(PageSource::Outcome outcome) noexcept {
  MemoryCounters& counters = pager_.counters();
  const bool image = outcome == PageSource::Outcome::kImage;
  if (!image && outcome != PageSource::Outcome::kAbsent) return;  // counted as fatal
  (image ? counters.stored_faults : counters.zero_faults).fetch_add(1, std::memory_order_relaxed);
}

FaultHandler::Outcome FaultHandler::bring_zeros(const Plan& plan, Part& part) noexcept {
  if (part.run.contains(plan.page)) count_fetched(PageSource::Outcome::kAbsent);
  for (std::uint64_t i = 0; i < part.run.count.value; ++i) {
    const base::PageNumber page = part.run.first + base::PageCount{i};
    const auto& entry = part.found[i];
    if (!entry.has_value() || entry->state() != PageState::kStored) continue;
    // A snapshot that ended since the ticket was asked may have stored what it wants now.
    if (!reads_zeros(plan.segment->rule->ticket_of(page))) return kResume;
    pager_.forget_stored(page);  // its owner has begun anew
    if (page == plan.page) return kResume;
  }
  return bring(plan, part, 0, part.run.count.value, zero_pages, nullptr,
               pager_.counters().zero_pages);
}

FaultHandler::Outcome FaultHandler::bring_images(const Plan& plan, Part& part) noexcept {
  alignas(base::kPageSize) std::byte content[kPartPages][base::kPageSize];
  std::array<PageSource::Fetched, kPartPages> fetched;
  source_->fetch(part.run, plan.ticket.not_before, content[0], fetched.data());
  if (part.run.contains(plan.page)) {
    count_fetched(fetched[(plan.page - part.run.first).value].outcome);
  }
  check_fetched(plan, part, fetched);
  const std::uint64_t count = part.run.count.value;
  std::uint64_t first = 0;  // of those fetched and not yet brought in
  const auto bring_until = [&](std::uint64_t end) {
    return bring(plan, part, first, end, content[first], &fetched[first],
                 pager_.counters().stored_pages);
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    const base::PageNumber page = part.run.first + base::PageCount{i};
    const bool damaged = fetched[i].outcome == PageSource::Outcome::kDamaged;
    if (fetched[i].outcome == PageSource::Outcome::kAbsent) {
      std::memset(content[i], 0, base::kPageSize);
      if (part.found[i].has_value() && page == plan.page) pager_.forget_stored(page);
    } else if (damaged || fetched[i].outcome == PageSource::Outcome::kUnavailable) {
      // Such a neighbour stays missing until it is touched itself.
      if (page == plan.page) {
        return refuse(damaged ? FaultReason::kDamaged : FaultReason::kUnavailable, page);
      }
      const Outcome outcome = bring_until(i);
      if (!outcome.resume) return outcome;
      first = i + 1;
    }
  }
  return bring_until(count);
}

// What the branch holds of the touched page is what its entry says, or that has changed meanwhile.
void FaultHandler::check_fetched(const Plan& plan, const Part& part,
                                 std::span<const PageSource::Fetched> fetched) const noexcept {
  if (!part.run.contains(plan.page)) return;
  const std::size_t index = (plan.page - part.run.first).value;
  const std::optional<PageEntry>& found = part.found[index];
  if (!found.has_value() || found->state() != PageState::kStored) return;
  if (fetched[index].outcome != PageSource::Outcome::kImage) return;
  REVENANT_CHECK(fetched[index].hash == found->hash() || pager_.map().find(plan.page) != found,
                 "the branch holds another image of page %#zx than its entry says",
                 plan.page.value);  // I4
}

FaultHandler::Outcome FaultHandler::bring_from_file(const Plan& plan, Part& part) noexcept {
  const bool is_touched = part.run.contains(plan.page);
  if (is_touched) pager_.counters().file_faults.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t reference = plan.ticket.reference_of(part.run.first);
  const std::byte* content = host_files_->find(reference, part.run.count);
  if (content == nullptr) {
    return is_touched ? refuse(FaultReason::kHostFile, plan.page) : kResume;
  }
  Outcome outcome =
      bring(plan, part, 0, part.run.count.value, content, nullptr, pager_.counters().file_pages);
  // Cut short just now: the kernel found nothing to copy.
  if (!outcome.resume && host_files_->find(reference, part.run.count) == nullptr) {
    outcome.reason = FaultReason::kHostFile;
  }
  return outcome;
}

FaultHandler::Outcome FaultHandler::bring_parked(const Plan& plan, Part& part) noexcept {
  alignas(base::kPageSize) std::byte content[base::kPageSize];
  const std::uint64_t index = (plan.page - part.run.first).value;
  const PageEntry& entry = *part.found[index];
  PageSource::Fetched fetched{
      .outcome = source_->fetch_parked(plan.page, entry.ticket(), entry.hash(), content),
      .hash = entry.hash()};
  switch (fetched.outcome) {
    case PageSource::Outcome::kImage:
      return bring(plan, part, index, index + 1, content, &fetched, pager_.counters().stored_pages);
    case PageSource::Outcome::kAbsent:
      // A snapshot has taken it over, or its page is not what it was: the entry says so by now.
      REVENANT_CHECK(pager_.map().find(plan.page) != entry,
                     "the parked image %u of page %#zx is gone", entry.ticket().number,
                     plan.page.value);
      return kResume;
    case PageSource::Outcome::kDamaged:
      if (pager_.settles_soon(plan.page, entry)) return kResume;
      return refuse(FaultReason::kDamaged, plan.page);
    case PageSource::Outcome::kUnavailable:
      break;
  }
  return refuse(FaultReason::kUnavailable, plan.page);
}

FaultHandler::Outcome FaultHandler::bring(const Plan& plan, Part& part, std::uint64_t first,
                                          std::uint64_t end, const std::byte* content,
                                          const PageSource::Fetched* images,
                                          std::atomic<std::uint64_t>& counter) noexcept {
  const bool counted = pager_.counts(part.run);
  const std::uint64_t touched = (plan.page - part.run.first).value;
  const bool is_touched = touched >= first && touched < end;
  if (counted && end - first > part.frame_count) {  // as many as there are frames for
    const std::uint64_t skipped =
        is_touched && touched - first >= part.frame_count ? touched - first : 0;
    first += skipped;
    content += skipped * base::kPageSize;
    if (images != nullptr) images += skipped;
    end = std::min(end, first + part.frame_count);
  }
  if (first >= end) return kResume;
  const bool dirty = plan.zeros && plan.is_write && images == nullptr;
  const Pager::Brought brought =
      pager_.bring_in({.run = {part.run.first + base::PageCount{first}, {end - first}},
                       .touched = plan.page,
                       .mode = dirty            ? FillMode::kDirty
                               : plan.from_file ? FillMode::kSealed
                                                : FillMode::kClean,
                       .content = content,
                       .images = images,
                       .mark = plan.mark,
                       .frames = {part.frames.data(), counted ? part.frame_count : 0},
                       .found = {part.found.data() + first, end - first}});
  counter.fetch_add(brought.pages, std::memory_order_relaxed);
  const std::uint64_t touched_pages = is_touched && brought.pages != 0 ? 1 : 0;
  pager_.counters().ahead_pages.fetch_add(brought.pages - touched_pages, std::memory_order_relaxed);
  pager_.counters().raced_pages.fetch_add(brought.raced, std::memory_order_relaxed);
  part.frame_count -= brought.frames;
  std::copy_n(part.frames.begin() + static_cast<std::ptrdiff_t>(brought.frames), part.frame_count,
              part.frames.begin());
  return brought.refused ? refuse(FaultReason::kNoMemory, plan.page) : kResume;
}

}  // namespace revenant::vm
