// The edges of an R-MAT graph (Chakrabarti, Zhan and Faloutsos, SDM 2004), as Graph500 draws them:
// each is dropped into a quadrant of the adjacency matrix, then into one of that, and so on.
//
//   | a 0.57 | b 0.19 |
//   | c 0.19 | d 0.05 |
//
// R1  An edge is a function of the seed and its number alone.
#pragma once

#include <cstdint>

namespace graph {

using Vertex = std::uint32_t;

struct Edge {
  Vertex from;
  Vertex to;
};

class Rmat {
 public:
  Rmat(unsigned scale, std::uint64_t seed) : scale_(scale), seed_(seed) {}

  [[nodiscard]] Edge edge(std::uint64_t number) const;

 private:
  // A bijection of the vertices: else the first ones would have most of the edges.
  [[nodiscard]] Vertex scatter(std::uint64_t vertex) const;

  unsigned scale_;
  std::uint64_t seed_;
};

}  // namespace graph
