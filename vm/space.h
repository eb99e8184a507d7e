// The space: the range of addresses whose pages live in the store, and the small window beside it.
//
//   0x560000000000                                                       + 512 GiB
//   | world | ... | heap metadata | heap pages .... | mapped files | stacks: 16 regions |
//   0       1 MiB  1 GiB        8 GiB            192 GiB        256 GiB             512 GiB
//
//   0x000000..... low window: the page-aligned section of the executable that holds persistent
//                 globals; usually empty, remapped here as anonymous memory.
//
// Every sanitizer's build accepts this range, which is why it lies there. Chunks (kChunkSize, what
// one page-table page maps) are numbered densely over both windows, so that one bitmap serves both.
//
// I1  A window is mapped without reserve and without huge pages, from open() to close(), and
//     nothing else is ever mapped in it: private and anonymous, or from a memory file (Backing).
// I2  The two windows' chunk numbers are at least kChunkGap apart: no run of chunks joins them.
// I3  A chunk's pages are clipped to its window: the low window may start and end inside a chunk.
//
// I4  A child of fork never writes to the parent's pages: memory from a file is not in the child.
//
// Threads: open() and close() are called by one thread while no other uses the space; the rest is
// constant in between. Errors: a range that is taken or refused is an Error, naming the way out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/units.h"

namespace revenant::vm {

inline constexpr std::uintptr_t kSpaceBase = 0x560000000000;
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kSpaceSize = 512 * kGiB;

// The pages [offset, offset + size) of the space.
constexpr base::PageRun space_run(std::uint64_t offset, std::uint64_t size) {
  return {base::PageNumber::of(kSpaceBase + offset), base::PageCount::holding(size)};
}

inline constexpr base::PageRun kSpaceRun = space_run(0, kSpaceSize);
inline constexpr base::PageRun kWorldRun = space_run(0, kMiB);
inline constexpr base::PageRun kHeapMetadataRun = space_run(kGiB, 7 * kGiB);
inline constexpr base::PageRun kHeapRun = space_run(8 * kGiB, 184 * kGiB);
inline constexpr base::PageRun kMappedFilesRun = space_run(192 * kGiB, 64 * kGiB);
inline constexpr base::PageRun kStackRun = space_run(256 * kGiB, 256 * kGiB);
inline constexpr std::size_t kStackRegions = 16;
inline constexpr std::uint64_t kStackRegionSize = 16 * kGiB;

// The number of a chunk, counted over both windows.
struct ChunkIndex {
  std::uint32_t value = 0;
  constexpr auto operator<=>(const ChunkIndex&) const = default;
};

// Consecutive chunks of one window, [first, first + count).
struct ChunkRun {
  ChunkIndex first;
  std::uint32_t count = 0;
  constexpr auto operator<=>(const ChunkRun&) const = default;
};

inline constexpr std::uint32_t kSpaceChunks = kSpaceSize >> base::kChunkShift;
inline constexpr std::uint32_t kChunkGap = 64;
inline constexpr std::uint32_t kLowFirstChunk = kSpaceChunks + kChunkGap;
inline constexpr std::uint64_t kMaxLowSize = 4 * kGiB;
// One bit a chunk; a multiple of 4096 so that two levels of 64-bit words cover it exactly.
inline constexpr std::uint32_t kChunkLimit = kSpaceChunks + 4096;

// What the pages of the windows are.
enum class Backing {
  // Anonymous memory, open to every access: userfaultfd stands before it.
  kAnonymous,
  // A memory file, closed to every access until set_access(). A page is written by its descriptor
  // while it is closed, so that no thread sees half of it.
  kMemoryFile,
};

enum class PageAccess { kNone, kRead, kWrite };

class Space {
 public:
  Space() = default;
  ~Space() { close(); }
  Space(const Space&) = delete;
  Space& operator=(const Space&) = delete;

  // Maps the 512 GiB and, in place of what lies there, `low` (page aligned, may be empty).
  [[nodiscard]] base::Status open(base::PageRun low, Backing backing);
  // Unmaps the space; the low window stays, as ordinary memory with what it holds.
  void close();

  [[nodiscard]] std::span<const base::PageRun> windows() const {
    return {windows_.data(), window_count_};
  }
  [[nodiscard]] base::PageRun low() const { return low_; }
  [[nodiscard]] bool contains(base::PageNumber page) const {
    return kSpaceRun.contains(page) || low_.contains(page);
  }
  // The window of a page that the space contains.
  [[nodiscard]] base::PageRun window_of(base::PageNumber page) const {
    return kSpaceRun.contains(page) ? kSpaceRun : low_;
  }
  // The chunk of a page that the space contains.
  [[nodiscard]] ChunkIndex chunk_of(base::PageNumber page) const;
  // The pages of `chunks`, clipped to their window (I3).
  [[nodiscard]] base::PageRun pages_of(ChunkRun chunks) const;

  // Drops what the pages of `run` hold. Anonymous ones are missing from here on; those of a memory
  // file read as zeros, if they are open.
  void discard(base::PageRun run) const noexcept;
  // Writes the pages of `run` (within one window) to the memory file, whatever access they allow.
  // False when the host has no memory for them.
  [[nodiscard]] bool write(base::PageRun run, const std::byte* source) const noexcept;
  // Reads them from there.
  void read(base::PageRun run, std::byte* target) const noexcept;
  // False when the kernel has no mapping left to express it.
  [[nodiscard]] bool set_access(base::PageRun run, PageAccess access) const noexcept;

 private:
  [[nodiscard]] base::Status open_memory_file(base::PageRun low);
  [[nodiscard]] base::Status map_space();
  [[nodiscard]] base::Status remap_low(base::PageRun low);
  // Where the memory file holds `page`.
  [[nodiscard]] std::uint64_t offset_of(base::PageNumber page) const noexcept;

  std::array<base::PageRun, 2> windows_{};
  std::size_t window_count_ = 0;
  base::PageRun low_{};
  int memory_file_ = -1;
};

}  // namespace revenant::vm
