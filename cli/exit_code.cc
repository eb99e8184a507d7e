#include "cli/exit_code.h"

#include <fmt/format.h>

namespace revenant::cli {

int fail(const base::Error& error) {
  fmt::print(stderr, "revenant: {}\n", error.message);
  return base::exit_code_of(error.code);
}

}  // namespace revenant::cli
