// Mounts that only this process and its children see: as root, or in a user namespace of its own.
#pragma once

#include <filesystem>
#include <string>

namespace revenant::testing {

// Whether this host lets a process have them: a container's profile may not.
bool own_mounts_allowed();

// Before the process has a second thread. Call it in a child.
void enter_own_mounts();

// A tmpfs of `size` ("64k") at `directory`, which is made.
void mount_small_disk(const std::filesystem::path& directory, const std::string& size);

// What lies at `directory` can be read only.
void remount_read_only(const std::filesystem::path& directory);

}  // namespace revenant::testing
