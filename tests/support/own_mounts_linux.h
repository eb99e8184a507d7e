// Mounts that only this process and its children see: as root, or in a user namespace of its own.
#pragma once

#include <cstdint>
#include <filesystem>

namespace revenant::testing {

// Whether this host lets a process have them: a container's profile may not.
bool own_mounts_allowed();

// Before the process has a second thread. Call it in a child.
void enter_own_mounts();

// A disk at `directory`, which is made, with `room_bytes` left on it: ext4 on a loop device, and a
// tmpfs where the host gives no such device, as to who is root in a namespace only.
void mount_small_disk(const std::filesystem::path& directory, std::uint64_t room_bytes);
// Takes room away from such a disk, so that `room_bytes` are left, and gives back all that was
// taken like that.
void take_room(const std::filesystem::path& directory, std::uint64_t room_bytes);
void give_room_back(const std::filesystem::path& directory);

// A tmpfs at `directory`, which is made.
void mount_memory(const std::filesystem::path& directory);
// Terminals can be made, which a root without a mounted devpts does not have.
void mount_terminals();

// What lies at `directory` can be read only.
void remount_read_only(const std::filesystem::path& directory);

}  // namespace revenant::testing
