// The seed of a randomised test: the same seed replays the same failure.
//
// REVENANT_SEED or --seed=N chooses it; otherwise each run draws its own. Either way it is printed.
#pragma once

#include <cstdint>

namespace revenant::testing {

// Chosen and printed at the first call, and the same from then on. Any thread.
std::uint64_t seed();

}  // namespace revenant::testing
