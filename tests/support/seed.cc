#include "tests/support/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace revenant::testing {
namespace {

std::uint64_t choose_seed() {
  const char* given = std::getenv("REVENANT_SEED");
  const std::uint64_t chosen =
      given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("seed %llu: REVENANT_SEED or --seed= repeats it\n",
              static_cast<unsigned long long>(chosen));
  return chosen;
}

}  // namespace

std::uint64_t seed() {
  static const std::uint64_t chosen = choose_seed();
  return chosen;
}

}  // namespace revenant::testing
