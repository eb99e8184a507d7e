#include "search.h"

#include <revenant/revenant.h>

namespace graph {

std::vector<std::int32_t> search(const Csr& graph, Vertex first) {
  std::vector<std::int32_t> levels(graph.vertices(), kUnreached);
  levels[first] = 0;
  std::uint64_t found = 1;
  for (std::int32_t level = 0; found != 0; ++level) {
    revenant::print("level {}: {} vertices\n", level, found);
    found = 0;
    for (Vertex vertex = 0; vertex < graph.vertices(); ++vertex) {
      revenant::safepoint();
      if (levels[vertex] != level) continue;
      for (const Vertex neighbour : graph.neighbours(vertex)) {
        revenant::safepoint();
        if (levels[neighbour] != kUnreached) continue;
        levels[neighbour] = level + 1;
        ++found;
      }
    }
  }
  return levels;
}

}  // namespace graph
