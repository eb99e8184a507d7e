// What this host offers to programs, each feature tried rather than guessed from a version.
//
// Trying maps and unmaps the addresses of the space, and leaves a file of its own in `directory`
// only while it looks. Threads: one, in a process that has no space open. Errors: none; a feature
// that cannot be tried does not work.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace revenant::cli {

struct HostCheck {
  // What the lack of it means.
  enum class Need {
    kRequired,  // no program can run
    kBetter,    // programs run, and pay for it
  };

  std::string feature;
  Need need = Need::kRequired;
  bool works = false;
  std::string detail;  // what was seen; a sentence where it does not work
  std::string cost;    // what its lack costs
  std::string mend;    // the way out
};

// `directory`: where a store would lie.
[[nodiscard]] std::vector<HostCheck> check_host(const std::filesystem::path& directory);

// False when something that every program needs does not work.
[[nodiscard]] bool can_run_programs(const std::vector<HostCheck>& checks);

}  // namespace revenant::cli
