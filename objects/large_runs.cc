#include "objects/large_runs.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "objects/world.h"

namespace revenant::objects {
namespace {

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace

LargeRuns::LargeRuns(World& world, PageService& service)
    : world_(world), state_(world.heap.runs), service_(service) {}

LargeRuns::FreeTree LargeRuns::tree(PageKind kind) const {
  return FreeTree(kind == PageKind::kRetained ? state_.retained : state_.released);
}

std::optional<LargeRuns::Carved> LargeRuns::carve(std::uint64_t pages,
                                                  std::uint64_t alignment_pages, PageKind kind) {
  base::LockGuard guard(lock_);
  RunRecord* run = find_fit(PageKind::kRetained, pages, alignment_pages);
  if (run == nullptr) run = find_fit(PageKind::kReleased, pages, alignment_pages);
  if (run == nullptr) run = extend_top(pages, alignment_pages);
  if (run == nullptr) {
    release_all();  // joins what only differed in kind
    run = find_fit(PageKind::kReleased, pages, alignment_pages);
  }
  if (run == nullptr) return std::nullopt;
  return cut(*run, pages, alignment_pages, kind);
}

// The smallest run that holds the aligned pages: a few of the smallest that are large enough are
// tried, then one that is large enough wherever it begins.
RunRecord* LargeRuns::find_fit(PageKind kind, std::uint64_t pages, std::uint64_t alignment) {
  constexpr int kTries = 8;
  FreeTree runs = tree(kind);
  RunRecord* run = runs.first_from(pages * SizeOrder::kIndexLimit);
  for (int i = 0; i < kTries && run != nullptr; ++i) {
    const std::uint64_t lead = align_up(run->index(), alignment) - run->index();
    if (lead + pages <= run->pages) return run;
    run = runs.first_after(SizeOrder::key(*run));
  }
  return runs.first_from((pages + alignment - 1) * SizeOrder::kIndexLimit);
}

RunRecord* LargeRuns::extend_top(std::uint64_t pages, std::uint64_t alignment) {
  const std::uint64_t begin = state_.top;
  const std::uint64_t end = align_up(begin, alignment) + pages;
  if (end > kHeapPages) return nullptr;
  state_.top = end;
  return &put_free(begin, end - begin, PageKind::kReleased, 0);
}

LargeRuns::Carved LargeRuns::cut(RunRecord& run, std::uint64_t pages, std::uint64_t alignment,
                                 PageKind kind) {
  const std::uint64_t begin = run.index();
  const std::uint64_t end = begin + run.pages;
  const std::uint64_t first = align_up(begin, alignment);
  const std::uint64_t open_epoch = world_.open_epoch().value;
  const std::uint64_t epoch = run.epoch;
  const PageKind source = PageMap::kind(begin);
  take_out(run, source);
  RunRecord& carved = PageMap::record(first);
  carved.become(pages, open_epoch);
  PageMap::set(first, pages, kind);
  if (first > begin) put_free(begin, first - begin, source, epoch);
  if (end > first + pages) put_free(first + pages, end - first - pages, source, epoch);
  // Pages released in the open epoch may have images of that same epoch already, copied ahead of
  // the stop: the ticket would not call those stale after a restart.
  return {&carved, source == PageKind::kReleased && epoch < open_epoch};
}

void LargeRuns::take_out(RunRecord& run, PageKind kind) {
  tree(kind).erase(run);
  (kind == PageKind::kRetained ? state_.retained_pages : state_.released_pages) -= run.pages;  // I2
}

RunRecord& LargeRuns::put_free(std::uint64_t first, std::uint64_t pages, PageKind kind,
                               std::uint64_t epoch) {
  PageMap::set(first, pages, kind);
  std::uint64_t begin = first;
  std::uint64_t end = first + pages;
  if (begin > 0 && PageMap::kind(begin - 1) == kind) {  // I1
    RunRecord& before = PageMap::record(PageMap::first(begin - 1));
    take_out(before, kind);
    begin = before.index();
    epoch = std::max(epoch, before.epoch);
  }
  if (end < state_.top && PageMap::kind(end) == kind) {  // I1
    RunRecord& behind = PageMap::record(end);
    take_out(behind, kind);
    end += behind.pages;
    epoch = std::max(epoch, behind.epoch);
  }
  RunRecord& run = PageMap::record(begin);
  run.become(end - begin, epoch);
  PageMap::set_one(begin, 0, kind);
  PageMap::set_one(end - 1, end - 1 - begin, kind);
  tree(kind).insert(run);
  (kind == PageKind::kRetained ? state_.retained_pages : state_.released_pages) += run.pages;  // I2
  return run;
}

void LargeRuns::put_retained(std::uint64_t first, std::uint64_t pages) {
  RunRecord& run = put_free(first, pages, PageKind::kRetained, 0);
  if (run.pages >= kReleaseAtOncePages) release(run);
  if (state_.retained_pages > kMaxRetainedPages) release_all();
}

void LargeRuns::release(RunRecord& run) {
  const base::PageRun pages = run.run();
  const std::uint64_t first = run.index();
  take_out(run, PageKind::kRetained);
  put_free(first, pages.count.value, PageKind::kReleased, world_.open_epoch().value);
  service_.release(pages);  // I4
}

void LargeRuns::release_all() {
  while (state_.retained != nullptr) release(*state_.retained);
}

void LargeRuns::release_retained() {
  base::LockGuard guard(lock_);
  release_all();
}

void LargeRuns::free(RunRecord& run) {
  base::LockGuard guard(lock_);
  put_retained(run.index(), run.pages);
}

bool LargeRuns::free_block(const std::byte* begin) {
  base::LockGuard guard(lock_);
  const std::uint64_t index = PageMap::index_of(begin);
  if (PageMap::kind(index) != PageKind::kLarge || PageMap::pointer_of(index) != begin) return false;
  if (PageMap::first(index) != index) return false;
  put_retained(index, PageMap::record(index).pages);
  return true;
}

bool LargeRuns::resize(RunRecord& run, std::uint64_t pages) {
  base::LockGuard guard(lock_);
  if (pages > run.pages) return grow(run, pages);
  const std::uint64_t surplus = run.pages - pages;
  run.pages = static_cast<std::uint32_t>(pages);
  if (surplus > 0) put_retained(run.index() + pages, surplus);
  return true;
}

// The pages gained keep the run's epoch, so that what they read as is not promised.
bool LargeRuns::grow(RunRecord& run, std::uint64_t pages) {
  const std::uint64_t end = run.index() + run.pages;
  const std::uint64_t more = pages - run.pages;
  if (end == state_.top) {
    if (end + more > kHeapPages) return false;
    state_.top += more;
  } else {
    const PageKind kind = PageMap::kind(end);
    if (!is_free(kind) || PageMap::record(end).pages < more) return false;
    RunRecord& behind = PageMap::record(end);
    const std::uint64_t rest = behind.pages - more;
    const std::uint64_t epoch = behind.epoch;
    take_out(behind, kind);
    PageMap::set(end, more, PageKind::kLarge);  // before the rest looks for neighbours to join
    if (rest > 0) put_free(end + more, rest, kind, epoch);
  }
  for (std::uint64_t distance = run.pages; distance < pages; ++distance) {
    PageMap::set_one(run.index() + distance, distance, PageKind::kLarge);
  }
  run.pages = static_cast<std::uint32_t>(pages);
  return true;
}

base::Status LargeRuns::check_invariants() const {
  base::LockGuard guard(lock_);
  const auto broken = [](const char* what) -> base::Status {
    return base::Error{base::ErrorCode::kStoreDamaged, std::string("free page runs: ") + what};
  };
  for (const PageKind kind : {PageKind::kRetained, PageKind::kReleased}) {
    FreeTree runs = tree(kind);
    std::uint64_t pages = 0;
    for (RunRecord* run = runs.first(); run != nullptr;
         run = runs.first_after(SizeOrder::key(*run))) {
      pages += run->pages;
      const std::uint64_t begin = run->index();
      const std::uint64_t end = begin + run->pages;
      if (end > state_.top) return broken("one ends beyond what was ever used");  // I3
      if (PageMap::first(begin) != begin || PageMap::first(end - 1) != begin) {
        return broken("the ends of one do not point to its beginning");
      }
      for (std::uint64_t page = begin; page < end; ++page) {
        if (PageMap::kind(page) != kind) return broken("a page of one is not marked as free");
      }
      if (begin > 0 && PageMap::kind(begin - 1) == kind) return broken("neighbours not joined");
    }
    if (pages != (kind == PageKind::kRetained ? state_.retained_pages : state_.released_pages)) {
      return broken("their pages do not sum up");  // I2
    }
  }
  return {};
}

}  // namespace revenant::objects
