#include "vm/dirty_tracker.h"

#include <string>

namespace revenant::vm {

base::Result<TrackerChoice> parse_tracker(std::string_view name) {
  if (name == "auto") return TrackerChoice::kAuto;
  if (name == "async") return TrackerChoice::kAsync;
  if (name == "sync") return TrackerChoice::kSync;
  if (name == "mprotect") return TrackerChoice::kMprotect;
  return base::Error{base::ErrorCode::kUsage, "there is no tracker '" + std::string(name) +
                                                  "': choose auto, async, sync or mprotect"};
}

}  // namespace revenant::vm
