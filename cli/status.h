// The verb that shows a running program's figures: status.
#pragma once

#include <string>

#include "cli/verb.h"

namespace revenant::cli {

// `watch`: empty, once; "true", each second; else a length of time, as "200ms". Exit code 3 when
// nobody runs the store, also when the program ends while it is watched.
int show_status(const Context& context, const std::string& watch);

}  // namespace revenant::cli
