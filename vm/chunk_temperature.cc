#include "vm/chunk_temperature.h"

#include "base/check.h"

namespace revenant::vm {
namespace {

ChunkIndex after(ChunkRun run) { return {run.first.value + run.count}; }

}  // namespace

base::Status ChunkTemperature::open() {
  base::LockGuard guard(lock_);
  warm_.reset();
  cold_.reset();
  cold_runs_ = 0;
  REVENANT_TRY(deferred_.open());
  deferred_.clear();
  return {};
}

base::Result<bool> ChunkTemperature::cool(ChunkRun chunks, PageScanner& scanner) {
  const base::PageRun pages = space_.pages_of(chunks);
  base::LockGuard guard(lock_);
  const std::uint32_t runs = cold_runs_ + 1 - cold_neighbours(chunks);
  if (runs > kMaxColdRuns || !space_.set_access(pages, PageAccess::kRead)) return false;  // I3
  if (const base::Status scanned = scanner.scan(pages, deferred_); !scanned.ok()) {
    REVENANT_CHECK(space_.set_access(pages, PageAccess::kWrite));
    return scanned.error();
  }
  for (std::uint32_t i = 0; i < chunks.count; ++i) {  // I1: only now
    cold_.set({chunks.first.value + i});
    warm_.erase({chunks.first.value + i});
  }
  cold_runs_ = runs;
  return true;
}

void ChunkTemperature::warm(ChunkIndex chunk) noexcept {
  base::LockGuard guard(lock_);
  const ChunkRun one{chunk, 1};
  if (!cold_.test(chunk)) {
    // Another thread was first; its protection may have been lifted after this write failed.
    REVENANT_CHECK(space_.set_access(space_.pages_of(one), PageAccess::kWrite));
    return;
  }
  mark_warm(one);  // I2: before the protection is lifted
  if (space_.set_access(space_.pages_of(one), PageAccess::kWrite)) return;
  // The process has no mapping left to split the run with; as a whole it merges with what is
  // beside.
  const ChunkRun around = cold_run_around(chunk);
  const ChunkIndex next{chunk.value + 1};
  mark_warm({around.first, chunk.value - around.first.value});
  mark_warm({next, after(around).value - next.value});
  REVENANT_CHECK(space_.set_access(space_.pages_of(around), PageAccess::kWrite), "chunk %u",
                 chunk.value);
}

void ChunkTemperature::take_deferred(DirtyList& out) {
  base::LockGuard guard(lock_);
  out.append_all(deferred_);
  deferred_.clear();
}

std::uint32_t ChunkTemperature::cold_runs() const {
  base::LockGuard guard(lock_);
  return cold_runs_;
}

std::uint32_t ChunkTemperature::cold_neighbours(ChunkRun chunks) const {
  const bool before = chunks.first.value != 0 && cold_.test({chunks.first.value - 1});
  return (before ? 1u : 0u) + (cold_.test(after(chunks)) ? 1u : 0u);
}

ChunkRun ChunkTemperature::cold_run_around(ChunkIndex chunk) const {
  ChunkRun run{chunk, 1};
  while (run.first.value != 0 && cold_.test({run.first.value - 1})) {
    --run.first.value;
    ++run.count;
  }
  while (cold_.test(after(run))) ++run.count;
  return run;
}

void ChunkTemperature::mark_warm(ChunkRun chunks) {
  if (chunks.count == 0) return;
  for (std::uint32_t i = 0; i < chunks.count; ++i) {
    warm_.set({chunks.first.value + i});
    cold_.erase({chunks.first.value + i});
  }
  cold_runs_ += cold_neighbours(chunks);
  --cold_runs_;
}

}  // namespace revenant::vm
