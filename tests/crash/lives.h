// How long each life of the program under test lasts, and what is special about it.
//
//   kBirth    0.2 to 30 ms on a store that does not exist yet: hits creation and the first commit
//   kShort    1 to 30 ms: hits start-up and restore
//   kMiddle   30 ms to 2 s: hits running and commits
//   kLong     2 to 60 s at 1 ms cadence: retention has long dropped the revision it started from
//   kProof    until the program has shown that it goes on; one that hangs is found here
//   kContest  two starts at once: one must be refused and disturb nothing
//
// I1  The same seed and bounds give the same sequence of lives.
// I2  The first life is on a new store, and so are two more after each renewal.
// I3  With bounds, lives that end by the clock lie within them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace revenant::crash {

using Microseconds = std::chrono::microseconds;

enum class LifeKind { kBirth, kShort, kMiddle, kLong, kProof, kContest };
inline constexpr int kLifeKinds = 6;

std::string_view name_of(LifeKind kind);

struct Life {
  LifeKind kind;
  // The time from start to kill; zero for a proof, which ends by its own rule.
  Microseconds length;
  Microseconds cadence;
  // The store is removed first.
  bool fresh_store = false;
  // Of a contest: how much later the second program starts.
  Microseconds second_start{0};
};

struct LifeBounds {
  Microseconds shortest;
  Microseconds longest;
};

class LifePlan {
 public:
  LifePlan(std::uint64_t seed, std::optional<LifeBounds> bounds,
           std::optional<Microseconds> cadence);

  Life next();

 private:
  LifeKind draw_kind();
  Microseconds draw_length(LifeKind kind);
  Microseconds draw_cadence(LifeKind kind);
  // Uniform in the logarithm: as many lives between 1 and 2 ms as between 1 and 2 s.
  Microseconds log_uniform(Microseconds low, Microseconds high);
  double unit();

  const std::optional<LifeBounds> bounds_;
  const std::optional<Microseconds> cadence_;
  std::mt19937_64 random_;
  std::uint64_t drawn_ = 0;
  int births_left_ = 0;
};

}  // namespace revenant::crash
