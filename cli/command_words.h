// What a parser's definition says, in the words of those who read it: flags, values and verbs. The
// manual pages and the shells' completions are made from these, so that none is kept by hand.
#pragma once

#include <string>
#include <vector>

#include "runtime/cli11_fwd.h"

namespace revenant::cli {

struct FlagWords {
  std::vector<std::string> names;  // "-s", "--store"; none for a positional
  std::string value;               // "DIR"; the positional's name; empty for a switch
  std::string description;
  std::string environment;           // the variable it is read from
  std::vector<std::string> choices;  // the values it may have, if they are listed
};

struct VerbWords {
  std::string name;
  std::string description;
  std::vector<FlagWords> flags;
};

// Of one parser, in the order of definition.
std::vector<FlagWords> flags_of(const CLI::App& parser);
// Its verbs, without those that are refused.
std::vector<VerbWords> verbs_of(const CLI::App& parser);

}  // namespace revenant::cli
