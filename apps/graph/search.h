// Breadth-first search: how many steps each vertex is from the first.
#pragma once

#include <cstdint>
#include <vector>

#include "csr.h"

namespace graph {

inline constexpr std::int32_t kUnreached = -1;

// Prints how many vertices each level has. Goes through the graph from end to end, level by level:
// on an R-MAT graph there are few.
std::vector<std::int32_t> search(const Csr& graph, Vertex first);

}  // namespace graph
