#include "vm/async_tracker_linux.h"

#include <signal.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "vm/page_runs.h"
#include "vm/scratch_pages_linux.h"

namespace revenant::vm {
namespace {

// Protecting a chunk full of pages takes up to 0.1 ms, during which the kernel lets no page of the
// space be filled and a writer to a cold chunk waits for the lock.
constexpr std::uint32_t kCoolAtOnce = 8;

// Fills a page of `scratch` protected, writes to it and harvests it, twice.
base::Status prove(Uffd& uffd, Pagemap& pagemap, base::PageRun scratch) {
  const base::Error unproven{base::ErrorCode::kUnsupportedHost,
                             "userfaultfd's asynchronous write protection does not do what it "
                             "promises on this kernel"};
  const base::PageRun page{scratch.first, {1}};
  DirtyList found;
  REVENANT_TRY(found.open());
  REVENANT_TRY(uffd.register_run(scratch));
  if (uffd.fill(page, scratch_zeros(), FillMode::kClean).pages != 1) return unproven;
  for (int round = 0; round < 2; ++round) {
    REVENANT_TRY(pagemap.scan(scratch, Pagemap::Rearm::kYes, found));
    if (!found.empty() || !kernel_writes_to(page.first)) return unproven;
    REVENANT_TRY(pagemap.scan(scratch, Pagemap::Rearm::kYes, found));
    if (found.runs().size() != 1 || found.runs()[0] != page) return unproven;
    found.clear();
  }
  return {};
}

}  // namespace

base::Status AsyncTracker::try_out() {
  REVENANT_TRY(uffd_.open(Uffd::Writes::kAsync));
  REVENANT_TRY(harvest_pagemap_.open());
  REVENANT_TRY(cool_pagemap_.open());
  REVENANT_TRY(found_.open());
  ScratchPages scratch;
  REVENANT_TRY(scratch.open());
  return prove(uffd_, harvest_pagemap_, scratch.pages());
}

base::Status AsyncTracker::attach() {
  REVENANT_TRY(temperature_.open());
  for (const base::PageRun& window : space_.windows()) REVENANT_TRY(uffd_.register_run(window));
  harvests_.store(0, std::memory_order_relaxed);
  for (auto& harvest : last_dirty_) harvest.store(0, std::memory_order_relaxed);
  return {};
}

void AsyncTracker::close() {
  uffd_.close();
  harvest_pagemap_.close();
  cool_pagemap_.close();
}

base::Status AsyncTracker::harvest(std::span<const base::PageRun> excluded, DirtyList& out) {
  harvests_.fetch_add(1, std::memory_order_relaxed);
  base::Status status;
  found_.clear();
  temperature_.warm_chunks().for_each_run([&](ChunkRun chunks) {
    status = visit_outside(space_.pages_of(chunks), excluded, [&](base::PageRun pages) {
      return harvest_pagemap_.scan(pages, Pagemap::Rearm::kYes, found_);
    });
    return status.ok();
  });
  temperature_.take_deferred(found_);  // I2
  for (const base::PageRun& run : found_.runs()) note_dirty(run);
  for (const base::PageRun& run : excluded) note_dirty(run);  // I1
  out.append_all(found_);
  return status;
}

base::Status AsyncTracker::scan(base::PageRun pages, DirtyList& out) {
  return cool_pagemap_.scan(pages, Pagemap::Rearm::kYes, out);
}

base::Status AsyncTracker::protect(base::PageRun run) {
  const int error = uffd_.write_protect(run);
  if (error == 0) return {};
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     std::string("UFFDIO_WRITEPROTECT failed: ") + std::strerror(error)};
}

base::Result<std::size_t> AsyncTracker::cool(std::size_t max_chunks) {
  std::size_t cooled = 0;
  base::Status status;
  temperature_.warm_chunks().for_each_run([&](ChunkRun chunks) {
    ChunkRun clean = next_clean(chunks, 0, max_chunks - cooled);
    while (clean.count != 0) {
      const base::Result<bool> result = temperature_.cool(clean, *this);
      if (!result.ok()) return status = result.error(), false;
      if (*result) cooled += clean.count;
      const std::uint32_t past = clean.first.value + clean.count - chunks.first.value;
      clean = next_clean(chunks, past, max_chunks - cooled);
    }
    return cooled < max_chunks;
  });
  if (!status.ok()) return status.error();
  return cooled;
}

ChunkRun AsyncTracker::next_clean(ChunkRun chunks, std::uint32_t from,
                                  std::size_t limit) const noexcept {
  const std::size_t most = std::min<std::size_t>(limit, kCoolAtOnce);
  const std::uint32_t end = chunks.first.value + chunks.count;
  std::uint32_t first = chunks.first.value + from;
  while (first < end && !stayed_clean({first})) ++first;
  ChunkRun run{{first}, 0};
  while (run.count < most && first + run.count < end && stayed_clean({first + run.count})) {
    ++run.count;
  }
  return run;
}

Trap AsyncTracker::classify(const Access& access) const noexcept {
  if (access.signal == SIGBUS) return Trap::kMissing;
  return access.is_write() ? Trap::kWrite : Trap::kForbidden;
}

Filled AsyncTracker::fill(base::PageRun run, const std::byte* source, FillMode mode) noexcept {
  // Before anything is filled: a harvest that starts later scans the chunk.
  if (mode == FillMode::kSealed) return uffd_.fill(run, source, mode);
  temperature_.note_fill(space_.chunk_of(run.first));
  note_dirty(run);
  // A write to a cold chunk is refused before its page is found missing: there this is a read,
  // unless the chunk was cooled meanwhile, and then the write is still to be refused.
  return uffd_.fill(run, source, is_cold(run.first) ? FillMode::kClean : mode);
}

base::Status AsyncTracker::attach_pool(const FramePool& pool) {
  pool_ = &pool;
  return uffd_.register_run(pool.pages());
}

PageBits AsyncTracker::evict(base::PageRun run) noexcept {
  const base::PageNumber place = pool_->place_of(run.first);
  const PageBits wanted = all_of(run);
  PageBits gone = uffd_.move(run, place);
  if (gone == wanted) return gone;
  // A chunk that is cold, or just being cooled, is not the kernel's to move.
  temperature_.warm(space_.chunk_of(run.first));
  gone |= uffd_.move(run, place);
  if (gone == wanted) return gone;
  temperature_.while_writes_wait(
      run, [&] { gone |= uffd_.copy_and_drop(space_, run, place, wanted & ~gone); });
  return gone;
}

DirtyTracker::Restored AsyncTracker::restore(base::PageRun run, FillMode mode, Back way) noexcept {
  // As fill().
  temperature_.note_fill(space_.chunk_of(run.first));
  note_dirty(run);
  PageBits moved = 0;
  if (way == Back::kMoved) {
    // What was moved is not protected: every harvest is to see it.
    if (is_cold(run.first)) temperature_.warm(space_.chunk_of(run.first));
    moved = uffd_.move({pool_->place_of(run.first), run.count}, run.first);
    if (moved == all_of(run)) return {.came = moved};
  }
  const PageBits copied = uffd_.copy_back(*pool_, run, all_of(run) & ~moved, mode);
  if ((moved | copied) != all_of(run)) {  // no memory for copies
    if (is_cold(run.first)) temperature_.warm(space_.chunk_of(run.first));
    moved |= uffd_.move({pool_->place_of(run.first), run.count}, run.first);
  }
  // A chunk that was being cooled had its last scan, perhaps, before they came.
  if (mode == FillMode::kDirty) temperature_.warm(space_.chunk_of(run.first));
  return {.came = moved | copied, .copied = copied};
}

bool AsyncTracker::is_cold(base::PageNumber page) const noexcept {
  return temperature_.is_cold(space_.chunk_of(page));
}

bool AsyncTracker::resolve_write(base::PageNumber page) noexcept {
  note_dirty({page, {1}});
  temperature_.warm(space_.chunk_of(page));
  return true;
}

void AsyncTracker::note_dirty(base::PageRun run) noexcept {
  const std::uint32_t now = harvests_.load(std::memory_order_relaxed);
  const ChunkIndex last = space_.chunk_of(run.end() - base::PageCount{1});
  for (ChunkIndex chunk = space_.chunk_of(run.first); chunk <= last; ++chunk.value) {
    last_dirty_[chunk.value].store(now, std::memory_order_relaxed);
  }
}

bool AsyncTracker::stayed_clean(ChunkIndex chunk) const noexcept {
  const std::uint32_t dirty = last_dirty_[chunk.value].load(std::memory_order_relaxed);
  return harvests_.load(std::memory_order_relaxed) - dirty >= kCoolAfter;
}

}  // namespace revenant::vm
