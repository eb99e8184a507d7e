#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "runtime/host/descriptor_table.h"
#include "runtime/live_statistics.h"
#include "vm/memory_file_linux.h"

namespace revenant::runtime {
namespace {

base::Error no_figures(const char* what) {
  return {base::ErrorCode::kUnsupportedHost,
          std::string("`revenant status` will have no figures of this program: ") + what +
              " failed: " + std::strerror(errno)};
}

bool write_at(int file, const void* bytes, std::size_t size, std::size_t offset) {
  return ::pwrite(file, bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

// Makes the pages of `block` those of the file at `offset`, with the same contents.
template <class Block>
bool share(int file, Block& block, std::size_t offset) {
  static_assert(alignof(Block) == base::kPageSize && sizeof(Block) % base::kPageSize == 0);
  // Written first, and not only when counted in: there is memory for it, or it is not shared.
  return write_at(file, &block, sizeof block, offset) &&
         ::mmap(&block, sizeof block, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
                static_cast<off_t>(offset)) != MAP_FAILED;
}

}  // namespace

base::Status show_live(const LiveHeader& header, vm::MemoryCounters& memory,
                       base::LockCounters& locks, SnapshotCounters& snapshots) {
  DescriptorTable& descriptors = DescriptorTable::instance();
  // Stays open: it is what leads to the file (I1).
  const int file = descriptors.make_own([] { return vm::make_memory_file(kLiveName); });
  if (file < 0) return no_figures("making a file of memory");
  LiveHeader last = header;
  last.bytes = sizeof(LiveStatistics);
  if (::ftruncate(file, sizeof(LiveStatistics)) == 0 &&
      share(file, memory, offsetof(LiveStatistics, memory)) &&
      share(file, locks, offsetof(LiveStatistics, locks)) &&
      share(file, snapshots, offsetof(LiveStatistics, snapshots)) &&
      write_at(file, &last, sizeof last, 0)) {  // I2
    return {};
  }
  const int failed = errno;
  descriptors.close_own(file);
  errno = failed;
  return no_figures("filling a file of memory");
}

}  // namespace revenant::runtime
