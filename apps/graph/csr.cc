#include "csr.h"

#include <revenant/revenant.h>

#include <algorithm>

#include "../mix.h"

namespace graph {
namespace {

constexpr unsigned kMostPartsLog2 = 6;
constexpr std::size_t kPieceEdges = 8192;
constexpr std::uint64_t kReports = 16;

}  // namespace

class Csr::Part {
 public:
  void append(Edge edge) {
    if (pieces_.empty() || pieces_.back().size() == kPieceEdges) {
      pieces_.emplace_back().reserve(kPieceEdges);
    }
    pieces_.back().push_back(edge);
  }
  [[nodiscard]] std::uint64_t size() const {
    return pieces_.empty() ? 0 : (pieces_.size() - 1) * kPieceEdges + pieces_.back().size();
  }
  template <class See>
  void for_each(See see) const {
    for (const auto& piece : pieces_) {
      for (const Edge edge : piece) {
        see(edge);
        revenant::safepoint();
      }
    }
  }

 private:
  std::vector<std::vector<Edge>> pieces_;
};

Csr::Csr(unsigned scale, std::uint64_t edges, std::uint64_t seed) {
  const unsigned parts_log2 = std::min(scale, kMostPartsLog2);
  const unsigned shift = scale - parts_log2;
  std::vector<Part> parts(std::size_t{1} << parts_log2);
  const Rmat rmat(scale, seed);
  std::uint64_t digest = 0;
  for (std::uint64_t number = 0; number < edges; ++number) {
    const auto [from, to] = rmat.edge(number);
    digest = mix(digest, std::uint64_t{from} << 32 | to);
    if (from != to) {
      parts[from >> shift].append({from, to});
      parts[to >> shift].append({to, from});
    }
    const std::uint64_t drawn = number + 1;
    if (drawn * kReports / edges != number * kReports / edges) {
      revenant::print("{} of {} edges drawn: {:016x}\n", drawn, edges, digest);
    }
    revenant::safepoint();
  }
  std::uint64_t ends = 0;
  for (const Part& part : parts) ends += part.size();
  row_begins_.assign(1, 0);
  row_begins_.reserve((std::size_t{1} << scale) + 1);
  targets_.reserve(ends);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    append_rows(parts[i], static_cast<Vertex>(i << shift), static_cast<Vertex>((i + 1) << shift));
    parts[i] = Part();
    if ((i + 1) * kReports % parts.size() == 0) {
      revenant::print("{} of {} vertices have their neighbours: {}\n", vertices(),
                      std::uint64_t{1} << scale, targets_.size());
    }
  }
}

// A counting sort; what it jumps about in is as large as one part.
void Csr::append_rows(const Part& part, Vertex first, Vertex end) {
  std::vector<std::uint64_t> next(end - first, 0);
  part.for_each([&](Edge edge) { ++next[edge.from - first]; });
  std::uint64_t begin = 0;
  for (std::uint64_t& place : next) {
    const std::uint64_t count = place;
    place = begin;
    begin += count;
    row_begins_.push_back(targets_.size() + begin);
  }
  std::vector<Vertex> sorted(part.size());
  part.for_each([&](Edge edge) { sorted[next[edge.from - first]++] = edge.to; });  // C1
  targets_.insert(targets_.end(), sorted.begin(), sorted.end());
}

}  // namespace graph
