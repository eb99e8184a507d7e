// How the tool's verbs end.
#pragma once

#include "base/exit_code.h"
#include "base/result.h"

namespace revenant::cli {

// Prints the error's sentence on standard error; the exit code that goes with it.
int fail(const base::Error& error);

}  // namespace revenant::cli
