// What the tool's exit codes mean (docs: exit codes, shared with programs).
#pragma once

#include "base/result.h"

namespace revenant::cli {

enum ExitCode : int {
  kWell = 0,
  kFailed = 1,
  kUsage = 2,
  kFindings = 3,
  kNoStore = 10,
  kStoreInUse = 11,
  kAnotherBuild = 12,
  kUnsupportedHost = 13,
  kNoSuchRevision = 14,
  kNoSpace = 15,
  kInterrupted = 130,
};

int exit_code_of(base::ErrorCode code);

// Prints the error's sentence on standard error; the exit code that goes with it.
int fail(const base::Error& error);

}  // namespace revenant::cli
