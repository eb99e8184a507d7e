// What the implementation of the public surface shares.
#pragma once

#include <string>

#include "base/result.h"
#include "revenant/error.h"
#include "runtime/machine.h"

namespace revenant::runtime {

// The running green thread; throws error (not_in_green_thread), naming `what`, outside of one.
GreenThread& require_green_thread(const char* what);
// The same, as a question.
GreenThread* current_green_thread();

// Throws `failure` as a revenant::error.
[[noreturn]] void throw_error(const base::Error& failure);
// The code with which a program ends that lets `failure` go uncaught.
int exit_code_of(const error& failure);

}  // namespace revenant::runtime
