#include "runtime/recovery.h"

#include <array>

#include "base/check.h"

namespace revenant::runtime {
namespace {

using enum FoundHead;
using enum FoundBuild;
using enum RecoveryAction;

constexpr std::optional<FoundBuild> kAnyBuild;
constexpr std::optional<bool> kAny;

// A store without a head was killed before its first snapshot: nothing of it was ever promised.
constexpr std::array<RecoveryRow, 6> kTable{{
    // head      build      --upgrade  action
    {kNone, kAnyBuild, kAny, kBegin},
    {kRunning, kSame, kAny, kResume},
    {kRunning, kAnother, true, kUpgrade},
    {kRunning, kAnother, false, kRefuseBuild},
    {kFinished, kAnyBuild, false, kReportFinished},
    {kFinished, kAnyBuild, true, kUpgrade},
}};

}  // namespace

std::span<const RecoveryRow> recovery_table() { return kTable; }

bool matches(const RecoveryRow& row, const Found& found) {
  return row.head == found.head && (!row.build.has_value() || *row.build == found.build) &&
         (!row.upgrade.has_value() || *row.upgrade == found.upgrade);
}

RecoveryAction decide(const Found& found) {
  for (const RecoveryRow& row : kTable) {
    if (matches(row, found)) return row.action;
  }
  REVENANT_CHECK(false, "no row of the recovery table matches");
  __builtin_unreachable();
}

Found find(const std::optional<store::SnapshotRecord>& head, const store::BuildId& own,
           bool upgrade) {
  if (!head.has_value()) return {FoundHead::kNone, FoundBuild::kSame, upgrade};
  return {head->info.finished ? FoundHead::kFinished : FoundHead::kRunning,
          head->info.build_id == own ? FoundBuild::kSame : FoundBuild::kAnother, upgrade};
}

}  // namespace revenant::runtime
