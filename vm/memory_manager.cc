#include "vm/memory_manager.h"

#include <array>
#include <cstring>
#include <string>

#include "vm/volatile_memory.h"

namespace revenant::vm {
namespace {

// What the executable put into the low window: kept while the window is mapped anew.
class FirstValues {
 public:
  FirstValues() = default;
  ~FirstValues() { release_volatile(values_, bytes_); }
  FirstValues(const FirstValues&) = delete;
  FirstValues& operator=(const FirstValues&) = delete;

  [[nodiscard]] base::Status take(base::PageRun window) {
    bytes_ = window.count.bytes();
    if (bytes_ == 0) return {};
    REVENANT_ASSIGN(values_, reserve_volatile(bytes_, "the persistent globals' first values"));
    for (std::size_t at = 0; at < bytes_; at += base::kPageSize) {
      const std::byte* page = window.first.pointer() + at;
      // Zeros stay untouched: pages nobody has written to cost nothing.
      if (!is_zero(page)) std::memcpy(values_ + at, page, base::kPageSize);
    }
    return {};
  }

  [[nodiscard]] const std::byte* values() const { return values_; }
  // Zero begins it, and every byte is as the one before.
  [[nodiscard]] static bool is_zero(const std::byte* page) {
    return page[0] == std::byte{0} && std::memcmp(page, page + 1, base::kPageSize - 1) == 0;
  }

 private:
  std::byte* values_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace

base::Status MemoryManager::open(const MemoryOptions& options, PageSource& source) {
  REVENANT_TRY(map().open());
  REVENANT_TRY(tickets_.open(kSpaceRun));
  REVENANT_TRY(choose_tracker(options.tracker));
  mprotect_.set_budget(options.mapping_budget);
  async_.set_moving(options.move_frames);
  sync_.set_moving(options.move_frames);
  REVENANT_TRY(released_.open(pager_));
  base::Status started = start(options, source);
  if (!started.ok()) close();
  return started;
}

base::Status MemoryManager::start(const MemoryOptions& options, PageSource& source) {
  const base::PageRun low = options.low_window;
  FirstValues first_values;
  if (options.low_contents == LowContents::kKeep) REVENANT_TRY(first_values.take(low));
  REVENANT_TRY(space_.open(low, tracker_->backing()));
  REVENANT_TRY(tracker_->attach());
  REVENANT_TRY(pager_.open(options.memory_budget, *tracker_, source));
  if (pager_.has_budget()) REVENANT_TRY(writer_.open(source));
  low_rule_ = StoredRule(options.low_not_before);
  if (low.count.value != 0) REVENANT_TRY(open_low(low, first_values.values()));
  handler_.start(*tracker_, source);
  port_.start();
  return {};
}

// No store has the first values: they count as written.
base::Status MemoryManager::open_low(base::PageRun low, const std::byte* first_values) {
  REVENANT_TRY(add_segment("persistent globals", low, low_rule_));
  if (first_values == nullptr) return {};
  for (base::PageNumber page = low.first; page < low.end(); ++page) {
    const std::byte* values = first_values + (page - low.first).bytes();
    if (FirstValues::is_zero(values)) continue;
    if (tracker_->fill({page, {1}}, values, FillMode::kDirty).pages != 1) {
      return base::Error{base::ErrorCode::kUnsupportedHost,
                         "the host has no memory for the persistent globals; free some"};
    }
    map().upsert(page, [](PageEntry& entry) { entry.take<touch>(); });
  }
  return {};
}

base::Status MemoryManager::choose_tracker(TrackerChoice choice) {
  struct Candidate {
    TrackerChoice choice;
    DirtyTracker* tracker;
  };
  const std::array<Candidate, 3> candidates{{{TrackerChoice::kAsync, &async_},
                                             {TrackerChoice::kSync, &sync_},
                                             {TrackerChoice::kMprotect, &mprotect_}}};
  const bool any = choice == TrackerChoice::kAuto;
  std::string refusals;
  for (const Candidate& candidate : candidates) {
    if (!any && candidate.choice != choice) continue;
    const std::string name(candidate.tracker->name());
    const base::Status tried = candidate.tracker->try_out();
    if (tried.ok()) {
      tracker_ = candidate.tracker;
      tracker_sentence_ = "tracker " + name + (any ? ": tried, and it works here" : ", as asked");
      if (tracker_->user_mode_only()) tracker_sentence_ += " (unprivileged userfaultfd)";
      if (!refusals.empty()) tracker_sentence_ += "; " + refusals;
      return {};
    }
    candidate.tracker->close();
    if (!refusals.empty()) refusals += "; ";
    refusals += "tracker " + name + ": " + tried.error().message;
  }
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     "writes to memory cannot be tracked on this host: " + refusals};
}

void MemoryManager::close() {
  port_.stop();
  pager_.close();
  tracker_->close();
  space_.close();
  segments_.clear();
}

base::Result<TicketOwner> MemoryManager::add(Segment segment) {
  segment.owner = tickets_.add_owner();
  const base::Status added = segments_.add(segment);
  if (added.ok()) return segment.owner;
  tickets_.end(segment.owner, TicketTable::keep_nothing);
  return added.error();
}

base::Status MemoryManager::add_segment(const char* name, base::PageRun pages,
                                        const TicketRule& rule) {
  REVENANT_TRY(add({.name = name, .pages = pages, .rule = &rule}));
  return {};
}

base::Result<TicketOwner> MemoryManager::add_kept_segment(const char* name, base::PageRun pages,
                                                          SegmentAccess access) {
  // Writes that no tracker is to see: what it fills of a memory file is closed to them anyway.
  if (access == SegmentAccess::kReadOnly && tracker_->backing() == Backing::kAnonymous &&
      !space_.set_access(pages, PageAccess::kRead)) {
    return base::Error{base::ErrorCode::kUnsupportedHost,
                       "the segment '" + std::string(name) +
                           "' cannot be made read-only: the host has no mapping left (raise "
                           "vm.max_map_count)"};
  }
  if (access == SegmentAccess::kReadOnly) pager_.seal(pages);
  return add({.name = name, .pages = pages, .rule = &kept_tickets_, .access = access});
}

TicketOwner MemoryManager::owner_of(base::PageNumber page) const noexcept {
  const Segment* segment = segments_.find(page);
  return segment == nullptr ? TicketOwner{} : segment->owner;
}

void MemoryManager::end_segment(base::PageNumber first, TicketTable::GiveBack give_back) {
  tickets_.end(segments_.remove(first).owner, give_back);
}

}  // namespace revenant::vm
