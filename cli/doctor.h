// The verb that looks at the host: doctor.
#pragma once

#include "cli/verb.h"

namespace revenant::cli {

// Exit code 13 when no program can run here. `context.store`, or the directory it would be made in,
// is where files are tried; the working directory if none is named.
int examine_host(const Context& context);

}  // namespace revenant::cli
