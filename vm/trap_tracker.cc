#include "vm/trap_tracker.h"

#include "vm/page_runs.h"

namespace revenant::vm {

base::Status TrapTracker::harvest(std::span<const base::PageRun> excluded, DirtyList& out) {
  const ChunkBitmap* chunks = nullptr;
  {
    const base::LockGuard guard(lock_);
    chunks = &written_.chunks();  // its walk needs no lock
  }
  base::Status status;
  chunks->for_each_run([&](ChunkRun run) {
    for (std::uint32_t i = 0; i < run.count && status.ok(); ++i) {
      const ChunkIndex chunk{run.first.value + i};
      const base::LockGuard guard(lock_);
      status = visit_outside(space_.pages_of({chunk, 1}), excluded, [&](base::PageRun pages) {
        lock_.assert_held();
        take(pages, &out);
        return base::Status{};
      });
      written_.settle(chunk);
    }
    return status.ok();
  });
  return status;
}

base::Status TrapTracker::protect(base::PageRun run) {
  const base::LockGuard guard(lock_);
  take(run, nullptr);
  return {};
}

void TrapTracker::take(base::PageRun pages, DirtyList* out) {
  base::PageRun run = written_.next_set(pages);
  while (run.count.value != 0) {
    if (out != nullptr) out->append(run);
    if (deny_writes(run)) written_.clear(run);  // I1, I2
    run = written_.next_set({run.end(), pages.end() - run.end()});
  }
}

bool TrapTracker::resolve_write(base::PageNumber page) noexcept {
  const base::LockGuard guard(lock_);
  const std::optional<base::PageRun> allowed = allow_writes(page);
  if (allowed.has_value()) written_.set(*allowed);  // I1
  return allowed.has_value();
}

}  // namespace revenant::vm
