#include "vm/memory_manager.h"

#include <string>

namespace revenant::vm {

base::Status MemoryManager::open(const MemoryOptions& options, PageSource& source) {
  REVENANT_TRY(temperature_.open());
  REVENANT_TRY(released_.open());
  REVENANT_TRY(map_.open());
  REVENANT_TRY(space_.open(options.low_window, options.low_contents));
  base::Status started = start(options, source);
  if (!started.ok()) close();
  return started;
}

base::Status MemoryManager::start(const MemoryOptions& options, PageSource& source) {
  REVENANT_TRY(open_tracker(options.tracker));
  const base::PageRun low = options.low_window;
  if (low.count.value != 0) {
    REVENANT_TRY(add_segment("persistent globals", low, low_rule_));
    // What the executable put there is present, and dirty: every chunk takes part in harvests.
    const std::uint32_t last = space_.chunk_of(low.end() - base::PageCount{1}).value;
    for (std::uint32_t chunk = kLowFirstChunk; chunk <= last; ++chunk) {
      temperature_.note_fill({chunk});
    }
  }
  handler_.start(tracker_, source);
  port_.start();
  return {};
}

base::Status MemoryManager::open_tracker(TrackerChoice choice) {
  if (choice == TrackerChoice::kSync || choice == TrackerChoice::kMprotect) {
    return base::Error{
        base::ErrorCode::kUsage,
        "the trackers 'sync' and 'mprotect' do not exist yet: choose 'async' or 'auto'"};
  }
  const base::Status opened = tracker_.open();
  if (!opened.ok()) {
    return base::Error{opened.error().code,
                       "writes to memory cannot be tracked on this host: tracker 'async': " +
                           opened.error().message};
  }
  tracker_sentence_ = choice == TrackerChoice::kAsync ? "tracker async, as asked"
                                                      : "tracker async: tried, and it works here";
  if (uffd_.user_mode_only()) tracker_sentence_ += " (unprivileged userfaultfd)";
  return {};
}

void MemoryManager::close() {
  port_.stop();
  tracker_.close();
  space_.close();
  segments_.clear();
}

base::Status MemoryManager::add_segment(const char* name, base::PageRun pages,
                                        const TicketRule& rule) {
  return segments_.add({.name = name, .pages = pages, .rule = &rule});
}

}  // namespace revenant::vm
