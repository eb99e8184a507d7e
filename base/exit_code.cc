#include "base/exit_code.h"

namespace revenant::base {

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return kBadUsage;
    case ErrorCode::kStoreDamaged:
      return kFindings;
    case ErrorCode::kNotFound:
    case ErrorCode::kNotAStore:
      return kNoStore;
    case ErrorCode::kStoreInUse:
      return kStoreInUse;
    case ErrorCode::kAnotherBuild:
    case ErrorCode::kAnotherProgram:
      return kAnotherBuild;
    case ErrorCode::kUnsupportedHost:
    case ErrorCode::kAnotherFormat:
      return kUnsupportedHost;
    case ErrorCode::kNoSuchRevision:
      return kNoSuchRevision;
    case ErrorCode::kNoSpace:
      return kNoSpace;
    default:
      return kFailed;
  }
}

}  // namespace revenant::base
