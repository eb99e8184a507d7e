// The programs of the project from outside the tree.
#pragma once

#include <cstdlib>
#include <string>

namespace revenant {

// Those that the tests built, or the ones in REVENANT_OUTSIDE: built with a package that is
// installed, say.
inline std::string outside_program(const std::string& name) {
  const char* const elsewhere = std::getenv("REVENANT_OUTSIDE");
  return (elsewhere != nullptr ? std::string(elsewhere) : OUTSIDE "/build") + "/" + name;
}

}  // namespace revenant
