// Refuses a main function that would point to nowhere after a restart.
//
// run() copies main into persistent memory. A capture by reference, or a pointer to what the caller
// allocated, is good in this process only: better refused at the first start than found out at the
// second. A string or vector captured by value holds such addresses too, but its copy holds others:
// so main is copied, and an address counts that the copy shares with its original.
//
// Threads: the one that called run().
#pragma once

#include "base/result.h"
#include "revenant/run.h"

namespace revenant::runtime {

// kUsage, naming the offset and what lies there, if `main` and its copies hold an address in the
// calling thread's stack, in malloc's heap or in another anonymous mapping. Costs a copy, and one
// look at /proc/self/maps.
base::Status check_captures(const detail::main_function& main);

}  // namespace revenant::runtime
