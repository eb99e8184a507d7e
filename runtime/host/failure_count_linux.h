// How often in a row the program ended badly from one revision.
//
//   DIR/failures   "REVISION COUNT\n", rewritten at each such end
//
// A program that commits before it fails gets further each time; one that does not will fail the
// same way for ever, and its user should be told so.
//
// Threads: count() may be called in a signal handler. Errors: a file that cannot be read or written
// counts as the first failure.
#pragma once

#include <cstdint>
#include <filesystem>

namespace revenant::runtime {

class FailureCount {
 public:
  void open(const std::filesystem::path& store);
  // Counts one more from `revision`, and returns how many that makes in a row.
  unsigned count(std::uint64_t revision) const;

 private:
  char path_[4096] = {};
};

}  // namespace revenant::runtime
