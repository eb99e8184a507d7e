#include "tests/crash/lives.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace revenant::crash {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, kLifeKinds> kKindNames = {"birth", "short", "middle",
                                                                 "long",  "proof", "contest"};
constexpr int kBirthsPerStore = 3;
// Every so many lives one must show that it goes on.
constexpr std::uint64_t kProofEvery = 20;

constexpr double kRenewalShare = 0.03;
constexpr double kContestShare = 0.04;
constexpr double kLongShare = 0.02;
constexpr double kShortShare = 0.30;

}  // namespace

std::string_view name_of(LifeKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

LifePlan::LifePlan(std::uint64_t seed, std::optional<LifeBounds> bounds,
                   std::optional<Microseconds> cadence)
    : bounds_(bounds), cadence_(cadence), random_(seed) {}

Life LifePlan::next() {
  const bool fresh = drawn_++ == 0 || (births_left_ == 0 && unit() < kRenewalShare);
  if (fresh) births_left_ = kBirthsPerStore;  // I2
  const LifeKind kind = draw_kind();
  if (births_left_ > 0) --births_left_;
  Life life{kind, draw_length(kind), draw_cadence(kind), fresh};
  if (kind == LifeKind::kContest && unit() < 0.5) life.second_start = log_uniform(1ms, 200ms);
  return life;
}

LifeKind LifePlan::draw_kind() {
  const double share = unit();
  if (share < kContestShare) return LifeKind::kContest;
  if (births_left_ > 0) return LifeKind::kBirth;
  if (drawn_ % kProofEvery == 0) return LifeKind::kProof;
  if (!bounds_ && share < kContestShare + kLongShare) return LifeKind::kLong;
  return share < kContestShare + kLongShare + kShortShare ? LifeKind::kShort : LifeKind::kMiddle;
}

Microseconds LifePlan::draw_length(LifeKind kind) {
  if (kind == LifeKind::kProof) return 0us;
  if (bounds_) return log_uniform(bounds_->shortest, bounds_->longest);  // I3
  switch (kind) {
    case LifeKind::kBirth:
      return log_uniform(200us, 30ms);
    case LifeKind::kShort:
      return log_uniform(1ms, 30ms);
    // Half of the long ones are as long as it gets.
    case LifeKind::kLong:
      return unit() < 0.5 ? Microseconds(60s) : log_uniform(2s, 60s);
    default:
      return log_uniform(30ms, 2s);
  }
}

Microseconds LifePlan::draw_cadence(LifeKind kind) {
  constexpr std::array<Microseconds, 4> kCadences = {1ms, 5ms, 20ms, 100ms};
  const auto drawn = kCadences[static_cast<std::size_t>(unit() * kCadences.size())];
  if (cadence_) return *cadence_;
  return kind == LifeKind::kLong ? Microseconds(1ms) : drawn;
}

Microseconds LifePlan::log_uniform(Microseconds low, Microseconds high) {
  const double from = std::log(static_cast<double>(std::max<std::int64_t>(low.count(), 1)));
  const double to = std::log(static_cast<double>(std::max<std::int64_t>(high.count(), 1)));
  const Microseconds drawn(std::llround(std::exp(from + unit() * (to - from))));
  return std::clamp(drawn, low, high);
}

// Not a std distribution: theirs differ between libraries, and a seed must replay anywhere.
double LifePlan::unit() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

}  // namespace revenant::crash
