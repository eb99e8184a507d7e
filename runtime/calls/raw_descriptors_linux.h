// Descriptors made and closed by syscall() itself, for green threads.
//
// Calls that have no name in libc are made so (io_uring_setup, perf_event_open, pidfd_open before
// glibc 2.36). What they return is the caller's as what open returns is, and a number that is
// closed or taken so is looked up as close and dup2 look it up (descriptor_table.h).
#pragma once

#include <optional>

namespace revenant::runtime {

// What the call returns; empty for calls that neither make, close nor replace a descriptor, which
// are not made.
std::optional<long> raw_descriptor_call(long number, const long (&word)[6]);

}  // namespace revenant::runtime
