// What shells complete after `revenant`: verbs, flags and the values that can be listed.
#pragma once

#include <string>

#include "runtime/cli11_fwd.h"

namespace revenant::cli {

std::string bash_completion(const CLI::App& parser);
std::string zsh_completion(const CLI::App& parser);
std::string fish_completion(const CLI::App& parser);

}  // namespace revenant::cli
