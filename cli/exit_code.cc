#include "cli/exit_code.h"

#include <fmt/format.h>

namespace revenant::cli {

int exit_code_of(base::ErrorCode code) {
  using base::ErrorCode;
  switch (code) {
    case ErrorCode::kUsage:
      return kUsage;
    case ErrorCode::kStoreDamaged:
      return kFindings;
    case ErrorCode::kNotFound:
    case ErrorCode::kNotAStore:
      return kNoStore;
    case ErrorCode::kStoreInUse:
      return kStoreInUse;
    case ErrorCode::kAnotherBuild:
      return kAnotherBuild;
    case ErrorCode::kUnsupportedHost:
      return kUnsupportedHost;
    case ErrorCode::kNoSuchRevision:
      return kNoSuchRevision;
    case ErrorCode::kNoSpace:
      return kNoSpace;
    default:
      return kFailed;
  }
}

int fail(const base::Error& error) {
  fmt::print(stderr, "revenant: {}\n", error.message);
  return exit_code_of(error.code);
}

}  // namespace revenant::cli
