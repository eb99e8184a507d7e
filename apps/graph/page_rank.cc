#include "page_rank.h"

#include <revenant/revenant.h>

#include <cmath>

namespace graph {
namespace {

constexpr double kDamping = 0.85;

// What each vertex hands to each of its neighbours; the sum is what those without any have.
double share_out(const Csr& graph, const std::vector<double>& ranks, std::vector<double>& shares) {
  double kept = 0;
  for (Vertex vertex = 0; vertex < graph.vertices(); ++vertex) {
    const std::uint64_t degree = graph.degree(vertex);
    if (degree == 0) kept += ranks[vertex];
    shares[vertex] = degree == 0 ? 0 : ranks[vertex] / static_cast<double>(degree);
    revenant::safepoint();
  }
  return kept;
}

}  // namespace

std::vector<double> page_rank(const Csr& graph, std::uint64_t iterations) {
  const auto count = static_cast<double>(graph.vertices());
  std::vector<double> ranks(graph.vertices(), 1 / count);
  std::vector<double> shares(graph.vertices());
  for (std::uint64_t iteration = 1; iteration <= iterations; ++iteration) {
    const double kept = share_out(graph, ranks, shares);
    const double base = (1 - kDamping + kDamping * kept) / count;
    double change = 0;
    for (Vertex vertex = 0; vertex < graph.vertices(); ++vertex) {
      double received = 0;
      for (const Vertex neighbour : graph.neighbours(vertex)) {
        received += shares[neighbour];  // P1
        revenant::safepoint();
      }
      const double rank = base + kDamping * received;
      change += std::abs(rank - ranks[vertex]);
      ranks[vertex] = rank;
      revenant::safepoint();
    }
    revenant::print("iteration {}: changed by {}\n", iteration, change);
  }
  return ranks;
}

}  // namespace graph
