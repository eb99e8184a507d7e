#include "vm/tracker_trials.h"

#include <memory>

#include "vm/async_tracker_linux.h"
#include "vm/mprotect_tracker_linux.h"
#include "vm/sync_tracker_linux.h"

namespace revenant::vm {
namespace {

TrackerTrial try_out(DirtyTracker& tracker) {
  const base::Status tried = tracker.try_out();
  TrackerTrial trial{.name = std::string(tracker.name()),
                     .works = tried.ok(),
                     .user_mode_only = tracker.user_mode_only()};
  if (!tried.ok()) trial.why_not = tried.error().message;
  tracker.close();
  return trial;
}

}  // namespace

std::vector<TrackerTrial> try_trackers() {
  const Space space;
  const auto async = std::make_unique<AsyncTracker>(space);
  const auto sync = std::make_unique<SyncTracker>(space);
  const auto mprotect = std::make_unique<MprotectTracker>(space);
  return {try_out(*async), try_out(*sync), try_out(*mprotect)};
}

}  // namespace revenant::vm
