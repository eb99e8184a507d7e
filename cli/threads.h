// The verb that lists green threads: threads.
#pragma once

#include <string>

#include "cli/verb.h"

namespace revenant::cli {

int list_threads(const Context& context, const std::string& revision);

}  // namespace revenant::cli
