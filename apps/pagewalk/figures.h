// What the pager did, as a table.
#pragma once

#include <revenant/statistics.h>

#include <string>

namespace pagewalk {

std::string table_of(const revenant::memory_statistics& figures);

}  // namespace pagewalk
