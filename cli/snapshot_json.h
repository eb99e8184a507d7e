// A snapshot's record as a JSON object: what log and show have in common.
#pragma once

#include "cli/print.h"
#include "store/snapshot_record.h"

namespace revenant::cli {

Json snapshot_json(const store::SnapshotRecord& record, std::int64_t now_ns);

}  // namespace revenant::cli
