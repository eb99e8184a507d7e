// What a running program shows of itself to whoever looks, and where.
//
//   the program                                             whoever looks
//   header:   who it is
//   MemoryCounters   (pages of their own) \    a file of    /proc/PID/fd/N,
//   LockCounters     (pages of their own)  +-- memory ----> mapped to be read
//   SnapshotCounters (pages of their own) /
//
// The pages that the program counts in anyway become the file's. So showing them costs nothing, no
// copy, no thread and no signal, and they can be read while the program is stopped or stuck.
//
// The file is of memory, not of the store's directory: it needs neither room there nor the right to
// write; the kernel never writes it to a disk, for which a fault that counts would wait; and it is
// gone with its process, however that ends.
//
// I1  Only its process's descriptors lead to the file: whoever finds one finds a program that runs.
// I2  The header is written last, and its magic number with it. Nothing behind it is believed
//     before magic, version, layout and size agree.
// I3  A program that gets no such file goes on without.
//
// The layout is a number made from every figure's name and the sizes, so that a figure that was
// added makes another layout by itself; kLiveVersion counts what names do not tell.
//
// Threads: show_live() before others count; the figures say themselves who may read and write.
#pragma once

#include <array>
#include <cstdint>

#include "base/lock_waits.h"
#include "base/result.h"
#include "base/units.h"
#include "runtime/snapshots/snapshot_statistics.h"
#include "store/snapshot_record.h"
#include "vm/memory_statistics.h"

namespace revenant::runtime {

inline constexpr std::uint64_t kLiveMagic = 0x7365727567694652;  // "RFigures"
inline constexpr std::uint64_t kLiveVersion = 1;
// The file's name as the links below /proc/PID/fd have it.
inline constexpr const char* kLiveName = "revenant-figures";
[[nodiscard]] std::uint64_t live_layout();

struct LiveHeader {
  std::uint64_t magic = kLiveMagic;
  std::uint64_t version = kLiveVersion;
  std::uint64_t layout = live_layout();
  std::uint64_t bytes = 0;  // of the file
  std::uint64_t process = 0;
  std::uint64_t generation = 0;
  std::int64_t started_wall_ns = 0;
  std::int64_t started_monotonic_ns = 0;
  std::int64_t snapshot_every_ns = 0;
  store::StoreId store{};
  std::array<char, 64> program{};  // cut to its room, ends with a zero
  std::array<char, 16> tracker{};
};

struct LiveStatistics {
  alignas(base::kPageSize) LiveHeader header;
  vm::MemoryCounters memory;
  base::LockCounters locks;
  SnapshotCounters snapshots;
};

// Shows the figures that are counted in these under `header`. From here on their pages are shared;
// they stay where they are and keep what they hold. Errors: kUnsupportedHost names the cause.
[[nodiscard]] base::Status show_live(const LiveHeader& header, vm::MemoryCounters& memory,
                                     base::LockCounters& locks, SnapshotCounters& snapshots);

}  // namespace revenant::runtime
