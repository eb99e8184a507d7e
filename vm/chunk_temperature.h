// Which chunks hold pages, and which of those need no scan.
//
//              note_fill            cool: protect, look once more, then mark
//   empty ---------------> warm -------------------------------------------> cold
//                            ^                                                 |
//                            '---- warm: mark, then lift the protection <------'
//                                  (a write was refused: SIGSEGV)
//
// A cold chunk is mapped read-only, so its first write announces itself and no scan needs to look
// at it. A thousand green threads that sleep for an hour thus cost a snapshot nothing.
//
// I1  A chunk is marked cold only after its protection and one last scan: what that scan found is
//     in the deferred list, which the next harvest takes after its own scans. So no harvest misses
//     a page by passing over a cold chunk: pages there hold what was last reported, or what their
//     ticket says.
// I2  A chunk is marked warm before its protection is lifted: it is scanned by every harvest that
//     starts after the write that warmed it.
// I3  At most kMaxColdRuns runs of cold chunks exist, each a mapping of its own to the kernel,
//     whose limit (65,530 by default) is the whole process's.
//
// Threads: note_fill() and is_cold() from anywhere without a lock. warm() in the fault handler and
// cool() take lock_ (rank kChunks); no code that holds it touches the space, so the handler never
// waits for what it interrupted. Errors: a refused cooling leaves the chunks warm.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/lock.h"
#include "base/result.h"
#include "vm/chunk_bitmap.h"
#include "vm/dirty_list.h"
#include "vm/space.h"

namespace revenant::vm {

// Appends the written pages of `pages` to `out` and protects them again.
class PageScanner {
 public:
  virtual ~PageScanner() = default;
  [[nodiscard]] virtual base::Status scan(base::PageRun pages, DirtyList& out) = 0;
};

class ChunkTemperature {
 public:
  static constexpr std::uint32_t kMaxColdRuns = 4096;

  explicit ChunkTemperature(const Space& space) : space_(space) {}

  [[nodiscard]] base::Status open();

  // Pages of this chunk are about to be filled.
  void note_fill(ChunkIndex chunk) noexcept {
    if (!warm_.test(chunk) && !cold_.test(chunk)) warm_.set(chunk);
  }
  [[nodiscard]] bool is_cold(ChunkIndex chunk) const noexcept { return cold_.test(chunk); }
  [[nodiscard]] const ChunkBitmap& warm_chunks() const { return warm_; }
  [[nodiscard]] const ChunkBitmap& cold_chunks() const { return cold_; }

  // Makes `chunks`, all warm, cold. False when that would exceed I3 or the kernel's own limit.
  [[nodiscard]] base::Result<bool> cool(ChunkRun chunks, PageScanner& scanner)
      REVENANT_EXCLUDES(lock_);
  // Lets `chunk` be written again, whoever made it warm meanwhile.
  void warm(ChunkIndex chunk) noexcept REVENANT_EXCLUDES(lock_);
  // Calls act() while no write to `run`, of one chunk, goes through: writers wait in warm().
  template <class Act>
  void while_writes_wait(base::PageRun run, Act act) noexcept REVENANT_EXCLUDES(lock_) {
    const base::LockGuard guard(lock_);
    const PageAccess after =
        cold_.test(space_.chunk_of(run.first)) ? PageAccess::kRead : PageAccess::kWrite;
    if (!space_.set_access(run, PageAccess::kRead)) return;
    act();
    REVENANT_CHECK(space_.set_access(run, after));
  }
  // Moves what the last scans of cooled chunks found to `out`.
  void take_deferred(DirtyList& out) REVENANT_EXCLUDES(lock_);
  [[nodiscard]] std::uint32_t cold_runs() const REVENANT_EXCLUDES(lock_);

 private:
  // How many of the two chunks beside `chunks` are cold.
  [[nodiscard]] std::uint32_t cold_neighbours(ChunkRun chunks) const REVENANT_REQUIRES(lock_);
  // `chunk` and the cold chunks that touch it.
  [[nodiscard]] ChunkRun cold_run_around(ChunkIndex chunk) const REVENANT_REQUIRES(lock_);
  // From cold to warm, all of them; their protection is still to be lifted.
  void mark_warm(ChunkRun chunks) REVENANT_REQUIRES(lock_);

  const Space& space_;

  // Synchronise themselves.
  ChunkBitmap warm_;
  ChunkBitmap cold_;

  mutable base::Lock lock_{base::LockRank::kChunks};
  DirtyList deferred_ REVENANT_GUARDED_BY(lock_);
  std::uint32_t cold_runs_ REVENANT_GUARDED_BY(lock_) = 0;
};

}  // namespace revenant::vm
