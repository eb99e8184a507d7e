#include "vm/sync_tracker_linux.h"

#include <signal.h>

#include "vm/scratch_pages_linux.h"

namespace revenant::vm {
namespace {

// A page of `scratch` refuses a write when it was filled clean, allows it when told, and refuses it
// again.
base::Status prove(Uffd& uffd, base::PageRun scratch) {
  const base::Error unproven{
      base::ErrorCode::kUnsupportedHost,
      "userfaultfd's write protection does not do what it promises on this kernel"};
  const base::PageRun page{scratch.first, {1}};
  REVENANT_TRY(uffd.register_run(scratch));
  if (uffd.fill(page, scratch_zeros(), FillMode::kClean).pages != 1) return unproven;
  for (int round = 0; round < 2; ++round) {
    if (kernel_writes_to(page.first)) return unproven;
    if (uffd.allow_writes(page) != 0 || !kernel_writes_to(page.first)) return unproven;
    if (uffd.write_protect(page) != 0) return unproven;
  }
  return {};
}

}  // namespace

base::Status SyncTracker::try_out() {
  REVENANT_TRY(uffd_.open(Uffd::Writes::kSync));
  ScratchPages scratch;
  REVENANT_TRY(scratch.open());
  return prove(uffd_, scratch.pages());
}

base::Status SyncTracker::attach() {
  for (const base::PageRun& window : space_.windows()) REVENANT_TRY(uffd_.register_run(window));
  const base::LockGuard guard(lock_);
  return written_.open();
}

void SyncTracker::close() {
  uffd_.close();
  const base::LockGuard guard(lock_);
  written_.close();
}

Trap SyncTracker::classify(const Access& access) const noexcept {
  if (access.signal != SIGBUS) return Trap::kForbidden;
  return access.is_write() && access.met_protection() ? Trap::kWrite : Trap::kMissing;
}

Filled SyncTracker::fill(base::PageRun run, const std::byte* source, FillMode mode) noexcept {
  if (mode != FillMode::kDirty) return uffd_.fill(run, source, mode);
  const base::LockGuard guard(lock_);
  const Filled filled = uffd_.fill(run, source, mode);
  // One that another thread filled clean is refused once more, and reported. Those behind a refusal
  // are as missing as they were.
  written_.set({run.first, {filled.pages + filled.raced}});
  return filled;
}

void SyncTracker::discard(base::PageRun run) noexcept {
  const base::LockGuard guard(lock_);
  written_.clear(run);
  space_.discard(run);
}

base::Status SyncTracker::attach_pool(const FramePool& pool) {
  pool_ = &pool;
  return uffd_.register_run(pool.pages());
}

PageBits SyncTracker::evict(base::PageRun run) noexcept {
  const base::PageNumber place = pool_->place_of(run.first);
  const base::LockGuard guard(lock_);
  PageBits gone = uffd_.move(run, place);
  // Writers wait in resolve_write() while the rest is copied.
  if (gone != all_of(run) && deny_writes(run)) {
    gone |= uffd_.copy_and_drop(space_, run, place, all_of(run) & ~gone);
  }
  for_runs(run, gone, [this](base::PageRun part) {
    lock_.assert_held();
    written_.clear(part);
  });
  return gone;
}

DirtyTracker::Restored SyncTracker::restore(base::PageRun run, FillMode mode, Back way) noexcept {
  const base::LockGuard guard(lock_);
  PageBits moved = 0;
  if (way == Back::kMoved) moved = uffd_.move({pool_->place_of(run.first), run.count}, run.first);
  PageBits copied = 0;
  if (moved != all_of(run)) copied = uffd_.copy_back(*pool_, run, all_of(run) & ~moved, mode);
  if ((moved | copied) != all_of(run)) {  // no memory for copies
    moved |= uffd_.move({pool_->place_of(run.first), run.count}, run.first);
  }
  // What was moved is not protected.
  for_runs(run, mode == FillMode::kDirty ? moved | copied : moved, [this](base::PageRun part) {
    lock_.assert_held();
    written_.set(part);
  });
  return {.came = moved | copied, .copied = copied};
}

bool SyncTracker::deny_writes(base::PageRun run) noexcept { return uffd_.write_protect(run) == 0; }

std::optional<base::PageRun> SyncTracker::allow_writes(base::PageNumber page) noexcept {
  const base::PageRun one{page, {1}};
  if (uffd_.allow_writes(one) != 0) return std::nullopt;
  return one;
}

}  // namespace revenant::vm
