// The verb that looks after a store: verify.
#pragma once

#include <string>

#include "cli/verb.h"

namespace revenant::cli {

struct VerifyRequest {
  std::string revision;
  bool all = false;
};

// Exit code 3 and the list of what is damaged, if anything is.
int verify_store(const Context& context, const VerifyRequest& request);

}  // namespace revenant::cli
