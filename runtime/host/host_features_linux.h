// What the processor of this host can do, as far as a program's memory may depend on it.
//
// A program asks its processor once and remembers the answer: in tables of functions, in objects
// that were made by one of several kinds, in library state under PERSIST_GLOBALS. On a processor
// that lacks what was found, it would go on into an illegal instruction, at any later time. So the
// store knows what its programs could have found so far, and a host must have all of it.
//
// What does not matter: libc's own choices (memcpy and its kin) are made anew by each process, and
// nothing parks inside them; features of the kernel are tried at each start.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "store/host_features.h"

namespace revenant::runtime {

// This host's: an instruction set counts if the kernel keeps its registers, too.
store::HostFeatures own_host();

// Refuses a store that ran on what `own` is not, naming what is missing.
base::Status check_host(const store::HostFeatures& ran_on, const store::HostFeatures& own,
                        const std::filesystem::path& store);

}  // namespace revenant::runtime
