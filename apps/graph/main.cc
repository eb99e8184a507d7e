// Breadth-first search and PageRank on a large random graph, as if memory had no end.
//
//   graph [--scale N] [--edge-factor N] [--iterations N] [--seed N] [flags of run()]
//
// The graph has 2^scale vertices and edge-factor times as many edges, and takes 16 bytes an edge
// while it is made, half of that later: 256 MiB at scale 20. Every line it prints is the same in
// every run, however often it was killed on the way; the last is a digest of all levels and ranks.
// Flags count when the store is made.
#include <revenant/revenant.h>

#include <algorithm>
#include <bit>

#include "../flags.h"
#include "../mix.h"
#include "page_rank.h"
#include "search.h"

namespace graph {
namespace {

constexpr std::size_t kTopRanks = 5;

struct Settings {
  unsigned scale = 16;
  std::uint64_t edge_factor = 16;
  std::uint64_t iterations = 20;
  std::uint64_t seed = 1;
};

Settings settings_of(const std::vector<std::string_view>& args) {
  Settings settings;
  flags::for_each("graph", args, [&](std::string_view flag, std::string_view value) {
    if (flag == "--scale") {
      settings.scale = static_cast<unsigned>(flags::number(flag, value, 4, 31));
    } else if (flag == "--edge-factor") {
      settings.edge_factor = flags::number(flag, value, 1, 1024);
    } else if (flag == "--iterations") {
      settings.iterations = flags::number(flag, value, 1, 1'000'000);
    } else if (flag == "--seed") {
      settings.seed = flags::number(flag, value, 0);
    } else {
      return false;
    }
    return true;
  });
  return settings;
}

// A random one that has neighbours.
Vertex first_vertex(const Csr& graph, std::uint64_t seed) {
  Vertex vertex = static_cast<Vertex>(mix(seed) % graph.vertices());
  while (graph.degree(vertex) == 0) vertex = (vertex + 1) % graph.vertices();
  return vertex;
}

void report_ranks(const std::vector<double>& ranks) {
  const auto ahead = [&](Vertex a, Vertex b) {
    return ranks[a] != ranks[b] ? ranks[a] > ranks[b] : a < b;
  };
  std::vector<Vertex> top;
  double sum = 0;
  for (Vertex vertex = 0; vertex < ranks.size(); ++vertex) {
    sum += ranks[vertex];
    top.insert(std::upper_bound(top.begin(), top.end(), vertex, ahead), vertex);
    if (top.size() > kTopRanks) top.pop_back();
    revenant::safepoint();
  }
  for (std::size_t i = 0; i < top.size(); ++i) {
    revenant::print("rank {} is vertex {}: {}\n", i + 1, top[i], ranks[top[i]]);
  }
  revenant::print("the sum of all ranks: {}\n", sum);
}

std::uint64_t digest_of(const std::vector<std::int32_t>& levels, const std::vector<double>& ranks) {
  std::uint64_t digest = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    digest = mix(digest, static_cast<std::uint64_t>(levels[i]));
    digest = mix(digest, std::bit_cast<std::uint64_t>(ranks[i]));
    revenant::safepoint();
  }
  return digest;
}

void run() {
  const Settings settings = flags::or_refuse("graph", [] { return settings_of(revenant::args()); });
  const Csr graph(settings.scale, settings.edge_factor << settings.scale, settings.seed);
  const Vertex first = first_vertex(graph, settings.seed);
  revenant::print("{} vertices, {} ends of edges; searching from vertex {}\n", graph.vertices(),
                  graph.ends(), first);
  const std::vector<std::int32_t> levels = search(graph, first);
  const std::vector<double> ranks = page_rank(graph, settings.iterations);
  report_ranks(ranks);
  revenant::print("digest {:016x}\n", digest_of(levels, ranks));
}

}  // namespace
}  // namespace graph

int main(int argc, char** argv) { return revenant::run(argc, argv, graph::run); }
