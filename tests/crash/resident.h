// How much memory the pages of a program's space take: those in place and those that lie paged out
// in its pool of frames. It is what --memory bounds; the process has more.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <istream>

namespace revenant::crash {

// From what the kernel says of each mapping of a process (/proc/PID/smaps): anonymous memory only.
std::uint64_t resident_bytes(std::istream& smaps);
// 0 for a process that has ended.
std::uint64_t resident_bytes(pid_t process);

}  // namespace revenant::crash
