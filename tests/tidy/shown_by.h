// What a document's tables say they are shown by: every row names tests, and those tests exist.
//
//   | What | Shown by                          |
//   |------|-----------------------------------|
//   | ...  | `Suite.Test`, `Suite: case case`  |
//
// A case is one of a parameterised test, or of a program that a test runs: a literal in the file
// that declares the suite, or in a folder that has that file's name (.../constructs/ for
// constructs_test.cc).
#pragma once

#include <string>
#include <vector>

#include "tests/tidy/rules.h"

namespace revenant::tidy {

// Counts the rows that it has looked at.
std::size_t check_shown_by(const std::vector<std::string>& document,
                           const std::vector<SourceFile>& sources, Findings& findings);

}  // namespace revenant::tidy
