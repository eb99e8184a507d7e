#include "vm/pager.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kOnePage{1};

void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) {
  counter.fetch_add(more, std::memory_order_relaxed);
}

// Calls act(part) for parts of `candidates`, sorted here, that lie in one block each.
template <class Act>
void by_blocks(std::span<PageLists::Candidate> candidates, Act act) {
  std::ranges::sort(candidates, {}, &PageLists::Candidate::page);
  std::size_t first = 0;
  for (std::size_t i = 1; i <= candidates.size(); ++i) {
    const auto block = [&](std::size_t at) { return VmMap::block_of(candidates[at].page).first; };
    if (i < candidates.size() && block(i) == block(first)) continue;
    act(candidates.subspan(first, i - first));
    first = i;
  }
}

// The page is untouched from here on, and so needs no entry.
void discard_entry(base::PageNumber page, VmMap::RunEntries& entries) {
  PageEntry entry = entries.get(page);
  entry.discard();
  entries.erase(page);
}

// The pages from the first candidate's to the last one's.
base::PageRun run_of(std::span<const PageLists::Candidate> candidates) {
  const base::PageNumber first = candidates.front().page;
  return {first, candidates.back().page + kOnePage - first};
}

}  // namespace

// Frames on their way back to the lists. They count as in use for as long as it lives: by its end
// their memory has been given back.
class Pager::FrameBatch {
 public:
  explicit FrameBatch(PageLists& lists) : lists_(lists) {}
  ~FrameBatch() {
    flush();
    if (total_ != 0) lists_.settle(total_);
  }
  FrameBatch(const FrameBatch&) = delete;
  FrameBatch& operator=(const FrameBatch&) = delete;

  void add(FrameNumber frame) {
    if (frame == kNoFrame) return;
    frames_[size_++] = frame;
    ++total_;
    if (size_ == frames_.size()) flush();
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  void flush() {
    if (size_ != 0) lists_.retire({frames_.data(), size_});
    size_ = 0;
  }

  PageLists& lists_;
  std::array<FrameNumber, PageLists::kBatch> frames_;
  std::size_t size_ = 0;
  std::uint64_t total_ = 0;
};

base::Status Pager::open(base::PageCount budget, DirtyTracker& tracker, PageSource& source) {
  tracker_ = &tracker;
  source_ = &source;
  if (budget.value == 0) return {};
  alignas(64) static constexpr std::byte kZeros[base::kPageSize]{};
  zeros_ = source.hash_of(kZeros);
  REVENANT_TRY(lists_.open(budget));
  REVENANT_TRY(pool_.open());
  return tracker.attach_pool(pool_);
}

void Pager::close() { pool_.close(); }

void Pager::pin(base::PageRun run) {
  REVENANT_CHECK(pinned_runs_ < kMostPinned);
  pinned_[pinned_runs_++] = run;
}

bool Pager::is_pinned(base::PageNumber page) const {
  return std::any_of(pinned_.begin(), pinned_.begin() + pinned_runs_,
                     [page](const base::PageRun& run) { return run.contains(page); });
}

// Whether the page still is what its content was asked for.
bool Pager::fits(const Wanted& wanted, base::PageNumber page,
                 const VmMap::RunEntries& entries) const noexcept {
  const std::size_t index = (page - wanted.run.first).value;
  const std::optional<PageEntry>& found = wanted.found[index];
  if (found.has_value() != entries.has(page)) return false;
  if (!found.has_value()) return true;
  const PageEntry now = entries.get(page);
  if (now.state() != found->state() || now.hash() != found->hash()) return false;
  switch (now.state()) {
    case PageState::kStored:
    case PageState::kParked:
      return wanted.images != nullptr && wanted.images[index].hash == now.hash();
    case PageState::kActive:
      return page == wanted.touched;
    default:
      return false;
  }
}

Pager::Brought Pager::bring_in(const Wanted& wanted) noexcept {
  Brought brought;
  map_.change_run(wanted.run, [&](VmMap::RunEntries& entries) {
    const Mark now = mark();
    if (now.forgotten != wanted.mark.forgotten) return;
    const bool released = now.releases != wanted.mark.releases;
    PageBits fitting = 0;
    for (base::PageNumber page = wanted.run.first; page < wanted.run.end(); ++page) {
      // Only of the touched page it is certain that it still has its owner.
      if (released && page != wanted.touched) continue;
      if (fits(wanted, page, entries)) fitting |= bit_of(wanted.run, page);
    }
    for_runs(wanted.run, fitting, [&](base::PageRun part) {
      const std::byte* content = wanted.content + (part.first - wanted.run.first).bytes();
      Filled filled = tracker_->fill(part, content, wanted.mode);
      base::PageRun there{part.first, {filled.pages + filled.raced}};
      if (filled.refused && part.contains(wanted.touched) && !there.contains(wanted.touched)) {
        // Memory is short: the one page that cannot wait.
        filled = tracker_->fill({wanted.touched, kOnePage},
                                wanted.content + (wanted.touched - wanted.run.first).bytes(),
                                wanted.mode);
        brought.refused = filled.refused;
        if (!filled.refused) note_arrival(wanted, wanted.touched, entries, brought);
      }
      for (base::PageNumber page = there.first; page < there.end(); ++page) {
        note_arrival(wanted, page, entries, brought);
      }
    });
  });
  return brought;
}

void Pager::note_arrival(const Wanted& wanted, base::PageNumber page, VmMap::RunEntries& entries,
                         Brought& brought) noexcept {
  const std::size_t index = (page - wanted.run.first).value;
  const bool is_image =
      wanted.images != nullptr && wanted.images[index].outcome == PageSource::Outcome::kImage;
  PageEntry entry = entries.has(page) ? entries.get(page)
                    : is_image        ? PageEntry::stored()
                                      : PageEntry();
  ++brought.pages;
  switch (entry.state()) {
    case PageState::kUntouched:
      entry.take<touch>();
      break;
    case PageState::kStored:
      entry.take<load>();
      entry.mark_clean(wanted.images[index].hash);
      break;
    case PageState::kParked:
      entry.take<unpark>();  // and stays dirty: no snapshot has the image
      break;
    default:
      --brought.pages;
      ++brought.raced;
      return;  // active: its entry and its frame are what they were
  }
  const FrameNumber frame =
      brought.frames < wanted.frames.size() ? wanted.frames[brought.frames++] : kNoFrame;
  entry.set_ticket({.number = frame});
  entries.set(page, entry);
  if (frame == kNoFrame) return;
  const bool has_image = entry.hash() != ContentHash{};
  lists_.append_new(frame, page,
                    has_image ? PageLists::Origin::kImage : PageLists::Origin::kNothing);
}

bool Pager::rescue(base::PageRun run, base::PageNumber touched) noexcept {
  bool came = true;
  map_.change_run(run, [&](VmMap::RunEntries& entries) {
    PageBits outside = 0;
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      if (is_outside(entries.get(page).state())) outside |= bit_of(run, page);
    }
    for_runs(run, outside, [&](base::PageRun part) {
      const PageBits back = tracker_->restore(part);
      for_runs(part, back, [&](base::PageRun there) {
        for (base::PageNumber page = there.first; page < there.end(); ++page) {
          PageEntry entry = entries.get(page);
          const bool was_clean = entry.state() == PageState::kStandby;
          if (page == touched) {
            count(was_clean ? counters_.standby_faults : counters_.modified_faults);
          }
          if (was_clean) {
            entry.take<vm::rescue_standby>();
          } else {
            if (entry.state() == PageState::kInTransit) entry.take<abandon_parking>();
            entry.take<vm::rescue_modified>();
          }
          entries.set(page, entry);
          lists_.append(ListName::kActive, entry.frame(), page);
        }
      });
      if (part.contains(touched)) came = (back & bit_of(part, touched)) != 0;
    });
  });
  return came;
}

void Pager::forget_stored(base::PageNumber page) noexcept {
  map_.change_run({page, kOnePage}, [&](VmMap::RunEntries& entries) {
    if (entries.get(page).state() != PageState::kStored) return;
    forgotten_.fetch_add(1, std::memory_order_release);
    discard_entry(page, entries);
  });
}

std::uint64_t Pager::take_out(std::span<Candidate> candidates) noexcept {
  std::uint64_t gone = 0;
  FrameBatch freed(lists_);
  by_blocks(candidates, [&](std::span<Candidate> part) {
    const base::PageRun run =
        travels_in_blocks() ? VmMap::block_of(part.front().page) : run_of(part);
    map_.change_run(
        run, [&](VmMap::RunEntries& entries) { take_out_block(part, entries, freed, gone); });
  });
  count(counters_.trimmed_pages, gone);
  return gone;
}

void Pager::take_out_block(std::span<Candidate> candidates, VmMap::RunEntries& entries,
                           FrameBatch& freed, std::uint64_t& gone) noexcept {
  const base::PageRun run = entries.run();
  PageBits leaving = 0;
  for (const Candidate& candidate : candidates) {
    const PageEntry entry = entries.get(candidate.page);
    if (entry.state() != PageState::kActive || entry.frame() != candidate.frame) continue;
    if (is_pinned(candidate.page)) {
      lists_.append(ListName::kActive, candidate.frame, candidate.page);
    } else {
      leaving |= bit_of(run, candidate.page);
    }
  }
  if (leaving != 0 && travels_in_blocks()) {
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      const PageEntry entry = entries.get(page);
      const bool counted = entry.state() == PageState::kActive && entry.frame() != kNoFrame;
      if (counted && !is_pinned(page)) leaving |= bit_of(run, page);
    }
  }
  for_runs(run, leaving, [&](base::PageRun part) {
    const bool sealed = sealed_.contains(part.first);
    const PageBits out = sealed ? tracker_->drop_sealed(part) : tracker_->evict(part);
    for (base::PageNumber page = part.first; page < part.end(); ++page) {
      if ((out & bit_of(part, page)) != 0) {
        ++gone;
        if (sealed) {
          freed.add(entries.get(page).frame());
          discard_entry(page, entries);  // its ticket says it all
          count(counters_.trimmed_clean_pages);
        } else {
          note_departure(page, entries, freed);
        }
      } else {  // the kernel would not let it go: it is asked again when its turn comes
        lists_.append(ListName::kActive, entries.get(page).frame(), page);
      }
    }
  });
}

// The page is in the pool now: what is it worth?
void Pager::note_departure(base::PageNumber page, VmMap::RunEntries& entries,
                           FrameBatch& freed) noexcept {
  PageEntry entry = entries.get(page);
  const FrameNumber frame = entry.frame();
  if (judges_.load(std::memory_order_acquire)) {  // I3
    const ContentHash hash = source_->hash_of(pool_.content_of(page));
    if (entry.hash() == ContentHash{} && hash == zeros_) {
      pool_.discard({page, kOnePage});
      discard_entry(page, entries);
      freed.add(frame);
      return;
    }
    if (hash == entry.hash() && !entry.dirty()) {
      entry.take<trim_clean>();
      entries.set(page, entry);
      lists_.append(ListName::kStandby, frame, page);
      count(counters_.trimmed_clean_pages);
      return;
    }
  }
  entry.take<trim_modified>();
  entries.set(page, entry);
  lists_.append(ListName::kModified, frame, page);
}

std::uint64_t Pager::drop(std::span<Candidate> candidates) noexcept {
  FrameBatch freed(lists_);
  by_blocks(candidates, [&](std::span<Candidate> part) {
    map_.change_run(run_of(part), [&](VmMap::RunEntries& entries) {
      PageBits dropped = 0;
      for (const Candidate& candidate : part) {
        PageEntry entry = entries.get(candidate.page);
        const bool is_it = entry.state() == PageState::kStandby && entry.frame() == candidate.frame;
        if (!is_it) continue;  // rescued, or given back
        entry.take<drop_standby>();
        entries.set(candidate.page, entry);
        dropped |= bit_of(entries.run(), candidate.page);
      }
      for_runs(entries.run(), dropped, [this](base::PageRun run) { pool_.discard(run); });
      for (const Candidate& candidate : part) {
        if ((dropped & bit_of(entries.run(), candidate.page)) != 0) freed.add(candidate.frame);
      }
    });
  });
  count(counters_.dropped_pages, freed.total());
  return freed.total();
}

void Pager::discard(base::PageRun run) noexcept {
  releases_.fetch_add(1, std::memory_order_release);
  FrameBatch freed(lists_);
  bool outside = false;
  map_.change_all(run, [&](VmMap::RunEntries& entries) {
    for (base::PageNumber page = entries.run().first; page < entries.run().end(); ++page) {
      if (!entries.has(page)) continue;
      const PageEntry entry = entries.get(page);
      const PageState state = entry.state();
      outside |= is_outside(state);
      if (state == PageState::kActive || is_outside(state)) freed.add(entry.frame());
      discard_entry(page, entries);
    }
  });
  tracker_->discard(run);
  if (outside) pool_.discard(run);
}

}  // namespace revenant::vm
