#include "cli/snapshot_json.h"

namespace revenant::cli {

Json snapshot_json(const store::SnapshotRecord& record, std::int64_t now_ns) {
  const store::SnapshotInfo& info = record.info;
  Json json = {{"revision", record.revision.value},
               {"parent", record.parent.value},
               {"branch", record.branch},
               {"tags", record.tags},
               {"time", utc_time(info.wall_time_ns)},
               {"age_ms", (now_ns - info.wall_time_ns) / 1'000'000},
               {"pages_written", record.pages_written},
               {"bytes_written", record.bytes_written},
               {"pages_total", record.pages_total},
               {"pause_us", info.pause_us},
               {"commit_us", record.commit_us},
               {"threads", info.threads},
               {"generation", info.generation},
               {"finished", info.finished}};
  if (info.finished) json["exit_code"] = info.exit_code;
  return json;
}

}  // namespace revenant::cli
