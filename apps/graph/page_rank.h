// PageRank (Page, Brin, Motwani and Winograd, 1999), damped by 0.85, by power iteration.
//
// P1  Sums are taken in one order, that of the vertices and of their rows: a result is the same to
//     the last bit in every run.
#pragma once

#include <vector>

#include "csr.h"

namespace graph {

// Prints how much each iteration has changed.
std::vector<double> page_rank(const Csr& graph, std::uint64_t iterations);

}  // namespace graph
