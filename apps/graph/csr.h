// An undirected graph, each vertex' neighbours side by side (compressed sparse rows).
//
//   edges, drawn one by one --> parts, by the vertex they leave --> rows, a part at a time
//
// Built in two passes that each go through memory once, from end to end: a graph larger than its
// memory budget is built at the disk's pace and not at that of its seeks.
//
// C1  Rows are in order of their vertices, and a row in the order in which its edges were drawn.
// C2  Every edge stands in both its rows; loops are left out, repeated edges stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rmat.h"

namespace graph {

class Csr {
 public:
  Csr(unsigned scale, std::uint64_t edges, std::uint64_t seed);

  [[nodiscard]] Vertex vertices() const { return static_cast<Vertex>(row_begins_.size() - 1); }
  // Of a vertex.
  [[nodiscard]] std::span<const Vertex> neighbours(Vertex vertex) const {
    return {targets_.data() + row_begins_[vertex], targets_.data() + row_begins_[vertex + 1]};
  }
  [[nodiscard]] std::uint64_t degree(Vertex vertex) const {
    return row_begins_[vertex + 1] - row_begins_[vertex];
  }
  // Twice the edges, but for loops.
  [[nodiscard]] std::uint64_t ends() const { return targets_.size(); }

 private:
  // Edges in pieces, so that appending never copies.
  class Part;

  void append_rows(const Part& part, Vertex first, Vertex end);

  std::vector<std::uint64_t> row_begins_;
  std::vector<Vertex> targets_;
};

}  // namespace graph
