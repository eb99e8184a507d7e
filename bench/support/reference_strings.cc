#include "bench/support/reference_strings.h"

#include <algorithm>
#include <random>

namespace revenant::bench {
namespace {

using Random = std::mt19937_64;

References zipf(std::size_t length, std::uint32_t pages) {
  std::vector<double> reached(pages);
  double sum = 0;
  for (std::uint32_t rank = 0; rank < pages; ++rank) reached[rank] = sum += 1.0 / (rank + 1);
  Random random(1);
  std::uniform_real_distribution<double> draw(0, sum);
  References references(length);
  for (std::uint32_t& page : references) {
    const auto rank = std::ranges::lower_bound(reached, draw(random)) - reached.begin();
    page = std::min(static_cast<std::uint32_t>(rank), pages - 1);
  }
  return references;
}

References hot_scan(std::size_t length, std::uint32_t pages) {
  constexpr std::size_t kRun = 200;  // of the scan; then nine times as many to what is hot
  Random random(2);
  References references(length);
  std::uint32_t scanned = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const bool scans = i % (10 * kRun) < kRun;
    references[i] = scans ? scanned++ % pages : static_cast<std::uint32_t>(random() % (pages / 8));
  }
  return references;
}

References loop(std::size_t length, std::uint32_t pages) {
  References references(length);
  for (std::size_t i = 0; i < length; ++i) references[i] = static_cast<std::uint32_t>(i % pages);
  return references;
}

References phases(std::size_t length, std::uint32_t pages) {
  const std::size_t phase = std::size_t{4} * pages;
  Random random(3);
  References references(length);
  for (std::size_t i = 0; i < length; ++i) {
    const auto first = static_cast<std::uint32_t>(i / phase * (pages / 8));
    const bool strays = random() % 50 == 0;
    references[i] = strays ? static_cast<std::uint32_t>(random() % pages)
                           : (first + static_cast<std::uint32_t>(random() % (pages / 8))) % pages;
  }
  return references;
}

References walk(std::size_t length, std::uint32_t pages) {
  Random random(4);
  References references;
  references.reserve(length);
  while (references.size() < length) {
    auto page = static_cast<std::uint32_t>(random() % pages);
    const std::size_t half = std::size_t{1} << random() % 8;
    std::size_t left = std::min(half + random() % half, length - references.size());
    for (; left != 0 && page < pages; --left) references.push_back(page++);
  }
  return references;
}

}  // namespace

const std::vector<NamedString>& reference_strings() {
  static const std::vector<NamedString> strings{
      {"zipf", zipf}, {"hot_scan", hot_scan}, {"loop", loop}, {"phases", phases}, {"walk", walk}};
  return strings;
}

}  // namespace revenant::bench
