// Which limit stands in the way when the kernel refuses memory.
#pragma once

#include <string>

namespace revenant::base {

// After a mapping was refused with ENOMEM: the cause and the way out, as the end of a sentence.
std::string why_no_memory();

}  // namespace revenant::base
