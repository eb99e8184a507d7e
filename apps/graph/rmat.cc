#include "rmat.h"

#include "../mix.h"

namespace graph {
namespace {

// Sixteen random bits choose a quadrant.
constexpr unsigned kBitsAChoice = 16;
constexpr std::uint64_t kBelowA = 37'356;            // 0.57
constexpr std::uint64_t kBelowB = kBelowA + 12'452;  // 0.19
constexpr std::uint64_t kBelowC = kBelowB + 12'452;  // 0.19
constexpr unsigned kChoicesADraw = 64 / kBitsAChoice;

}  // namespace

Edge Rmat::edge(std::uint64_t number) const {
  const std::uint64_t stream = mix(seed_, number);
  std::uint64_t random = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  for (unsigned level = 0; level < scale_; ++level) {
    if (level % kChoicesADraw == 0) random = mix(stream, level);
    const std::uint64_t choice = random & ((1U << kBitsAChoice) - 1);
    random >>= kBitsAChoice;
    from = from << 1 | (choice >= kBelowB ? 1 : 0);
    to = to << 1 | ((choice >= kBelowA && choice < kBelowB) || choice >= kBelowC ? 1 : 0);
  }
  return {scatter(from), scatter(to)};
}

Vertex Rmat::scatter(std::uint64_t vertex) const {
  const std::uint64_t mask = (std::uint64_t{1} << scale_) - 1;
  vertex = (vertex * (mix(seed_) | 1) + mix(~seed_)) & mask;
  vertex ^= vertex >> (scale_ / 2 + 1);
  return static_cast<Vertex>(vertex * 0x9e3779b97f4a7c15 & mask);
}

}  // namespace graph
