// The verbs that tell of snapshots: log, show.
#pragma once

#include <optional>
#include <string>

#include "cli/verb.h"

namespace revenant::cli {

struct LogRequest {
  std::optional<std::uint64_t> most;  // -n
  std::string since;                  // --since, a duration
};

// Newest first.
int log_snapshots(const Context& context, const LogRequest& request);

struct ShowRequest {
  std::string revision;
  bool stat = false;  // also what this snapshot wrote, by kind of memory
};

int show_snapshot(const Context& context, const ShowRequest& request);

}  // namespace revenant::cli
