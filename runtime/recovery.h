// What is found at start, and what is done.
//
// One table (recovery.cc) holds every combination of what the store's head says, whose build wrote
// it and whether another build was accepted. A test proves that each input matches exactly one row.
#pragma once

#include <optional>
#include <span>

#include "store/snapshot_record.h"

namespace revenant::runtime {

enum class FoundHead { kNone, kRunning, kFinished };
enum class FoundBuild { kSame, kAnother };

struct Found {
  FoundHead head;
  FoundBuild build;  // kSame when there is no head
  bool upgrade;      // --upgrade was given
};

enum class RecoveryAction {
  kBegin,           // make a world, and main's thread in it
  kResume,          // go on with the threads of the head
  kUpgrade,         // keep the roots, drop the threads, begin main anew
  kReportFinished,  // main has returned before: say so, and return its code
  kRefuseBuild,     // exit 12, naming both builds and the choices
};

struct RecoveryRow {
  FoundHead head;
  std::optional<FoundBuild> build;  // any when empty
  std::optional<bool> upgrade;
  RecoveryAction action;
};

std::span<const RecoveryRow> recovery_table();
bool matches(const RecoveryRow& row, const Found& found);
RecoveryAction decide(const Found& found);

Found find(const std::optional<store::SnapshotRecord>& head, const store::BuildId& own,
           bool upgrade);

}  // namespace revenant::runtime
