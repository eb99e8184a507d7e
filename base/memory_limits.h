// Which limit stands in the way when the kernel refuses memory.
#pragma once

#include <string>

#include "base/result.h"

namespace revenant::base {

// After a mapping was refused with ENOMEM: the cause and the way out, as the end of a sentence.
std::string why_no_memory();

// The error in the place of std::bad_alloc: `needed_by` begins its sentence.
Error no_memory_for(const std::string& needed_by);

}  // namespace revenant::base
