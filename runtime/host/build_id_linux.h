// The build-id of the running program.
#pragma once

#include "base/result.h"
#include "store/snapshot_record.h"

namespace revenant::runtime {

// The GNU build-id note of the executable. kUnsupportedHost when it was linked without one.
base::Result<store::BuildId> own_build_id();

}  // namespace revenant::runtime
