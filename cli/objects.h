// The verb that lists named objects: roots.
#pragma once

#include <string>

#include "cli/verb.h"

namespace revenant::cli {

int list_roots(const Context& context, const std::string& revision);

}  // namespace revenant::cli
