// Exit codes of programs and of the tool.
#pragma once

#include "base/result.h"

namespace revenant::base {

enum ExitCode : int {
  kWell = 0,
  kFailed = 1,
  kBadUsage = 2,
  kFindings = 3,  // damage, differences that were asked for, a store that nobody runs
  kNoStore = 10,
  kStoreInUse = 11,
  kAnotherBuild = 12,  // or another program: starting it again does not help
  kUnsupportedHost = 13,
  kNoSuchRevision = 14,
  kNoSpace = 15,
  kInterrupted = 130,  // the tool
};

// The code with which an error ends a process.
ExitCode exit_code_of(ErrorCode code);

}  // namespace revenant::base
