// The manual pages, in the man macros of troff: revenant(1) of the tool, and revenant-programs(7)
// of the flags that every program takes.
#pragma once

#include <string>

#include "runtime/cli11_fwd.h"

namespace revenant::cli {

std::string manual_of_tool(const CLI::App& parser);
std::string manual_of_programs(const CLI::App& parser);

}  // namespace revenant::cli
