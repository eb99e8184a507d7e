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
// their memory has been given back, or waits to be, and whoever gives it back settles for it.
class Pager::FrameBatch {
 public:
  enum class Memory : std::uint8_t { kGone, kWaits };

  explicit FrameBatch(PageLists& lists, Memory memory = Memory::kGone)
      : lists_(lists), memory_(memory) {}
  ~FrameBatch() {
    flush();
    if (total_ != 0 && memory_ == Memory::kGone) lists_.settle(total_);
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
  const Memory memory_;
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
      counters_.parked_pages.fetch_sub(1, std::memory_order_relaxed);
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

bool Pager::rescue(base::PageRun run, base::PageNumber touched,
                   std::span<const FrameNumber> spare) noexcept {
  bool came = true;
  std::uint64_t waiting = 0;  // pages whose copies in the pool go later
  map_.change_run(run, [&](VmMap::RunEntries& entries) {
    PageBits clean = 0;
    PageBits modified = 0;
    for (base::PageNumber page = run.first; page < run.end(); ++page) {
      const PageState state = entries.get(page).state();
      if (state == PageState::kStandby) clean |= bit_of(run, page);
      if (is_outside(state) && state != PageState::kStandby) modified |= bit_of(run, page);
    }
    for (const FillMode mode : {FillMode::kClean, FillMode::kDirty}) {
      for_runs(run, mode == FillMode::kClean ? clean : modified, [&](base::PageRun part) {
        const bool may_wait = waiting + part.count.value <= spare.size();
        const DirtyTracker::Restored restored = tracker_->restore(
            part, mode, may_wait ? DirtyTracker::Back::kCopied : DirtyTracker::Back::kMoved);
        note_rescued(part, restored.came, touched, entries);
        for_runs(part, restored.copied, [&](base::PageRun copied) {
          if (!may_wait) return pool_.discard(copied);
          waiting += copied.count.value;
          free_discarded(pool_.discard_later(copied));
        });
        if (part.contains(touched)) came = (restored.came & bit_of(part, touched)) != 0;
      });
    }
  });
  if (!spare.empty()) lists_.retire(spare);
  free_discarded(spare.size() - waiting);
  return came;
}

void Pager::note_rescued(base::PageRun run, PageBits came, base::PageNumber touched,
                         VmMap::RunEntries& entries) noexcept {
  for_runs(run, came, [&](base::PageRun there) {
    for (base::PageNumber page = there.first; page < there.end(); ++page) {
      PageEntry entry = entries.get(page);
      const bool was_clean = entry.state() == PageState::kStandby;
      if (page == touched) count(was_clean ? counters_.standby_faults : counters_.modified_faults);
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
}

void Pager::free_discarded(std::uint64_t pages) noexcept {
  if (pages != 0) lists_.settle(pages);
}

std::uint64_t Pager::settle_discarded() noexcept {
  const std::uint64_t discarded = pool_.discard_waiting();
  free_discarded(discarded);
  return discarded;
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
  settle_discarded();
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
    if (!sealed) free_discarded(pool_.make_room(part));
    const PageBits out = sealed ? tracker_->drop_sealed(part) : tracker_->evict(part);
    for (base::PageNumber page = part.first; page < part.end(); ++page) {
      if ((out & bit_of(part, page)) != 0) {
        ++gone;
        if (sealed) {
          freed.add(entries.get(page).frame());
          discard_entry(page, entries);  // its ticket says it all
          count(counters_.trimmed_clean_pages);
        } else {
          note_departure(page, entries);
        }
      } else {  // the kernel would not let it go: it is asked again when its turn comes
        lists_.append(ListName::kActive, entries.get(page).frame(), page);
      }
    }
  });
}

// The page is in the pool now: what is it worth?
void Pager::note_departure(base::PageNumber page, VmMap::RunEntries& entries) noexcept {
  PageEntry entry = entries.get(page);
  const FrameNumber frame = entry.frame();
  if (judges_.load(std::memory_order_acquire)) {  // I3
    const ContentHash hash = source_->hash_of(pool_.content_of(page));
    if (entry.hash() == ContentHash{} && hash == zeros_) {
      discard_entry(page, entries);  // as untouched as ever
      lists_.retire({&frame, 1});
      free_discarded(pool_.discard_later({page, kOnePage}));
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
  FrameBatch freed(lists_, FrameBatch::Memory::kWaits);
  by_blocks(candidates, [&](std::span<Candidate> part) {
    map_.change_run(run_of(part), [&](VmMap::RunEntries& entries) {
      PageBits dropped = 0;
      for (const Candidate& candidate : part) {
        PageEntry entry = entries.get(candidate.page);
        const bool is_it = entry.state() == PageState::kStandby && entry.frame() == candidate.frame;
        if (!is_it) continue;  // rescued, or given back
        entry.take<drop_standby>();
        entries.set(candidate.page, entry);
        freed.add(candidate.frame);
        dropped |= bit_of(entries.run(), candidate.page);
      }
      for_runs(entries.run(), dropped,
               [this](base::PageRun run) { free_discarded(pool_.discard_later(run)); });
    });
  });
  settle_discarded();
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
      if (state == PageState::kParked)
        counters_.parked_pages.fetch_sub(1, std::memory_order_relaxed);
      discard_entry(page, entries);
    }
  });
  tracker_->discard(run);
  if (outside) pool_.discard(run);
}

}  // namespace revenant::vm
