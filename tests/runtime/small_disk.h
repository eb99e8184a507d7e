// A disk with little room for tests of what programs do when it is full.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "tests/support/own_mounts_linux.h"

namespace revenant::testing {

// A disk of a few MiB of the calling process's own; a limit of file sizes where nothing can be
// mounted.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path directory, unsigned mib)
      : directory_(std::move(directory)), mib_(mib), mounted_(own_mounts_allowed()) {}

  // In the child.
  void enter() const {
    if (!mounted_) return limit(rlim_t{mib_} << 20);
    enter_own_mounts();
    mount_small_disk(directory_, std::uint64_t{mib_} << 20);
  }
  // So that only so much is left. And undone.
  void fill_up_to(unsigned left_mib) const {
    if (!mounted_) return limit(rlim_t{left_mib} << 20);
    take_room(directory_, std::uint64_t{left_mib} << 20);
  }
  void make_room() const {
    if (!mounted_) return limit(rlim_t{mib_} << 20);
    give_room_back(directory_);
  }
  [[nodiscard]] std::string what_is_said() const {
    return mounted_ ? "No space left on device; free some space on its disk"
                    : "File too large; raise the limit of file sizes (ulimit -f)";
  }

 private:
  static void limit(rlim_t bytes) {
    const rlimit soft{bytes, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &soft);
  }

  const std::filesystem::path directory_;
  const unsigned mib_;
  const bool mounted_;
};

}  // namespace revenant::testing
