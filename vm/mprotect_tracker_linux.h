// The tracker of every host: where userfaultfd is refused, mprotect and SIGSEGV do its work.
//
// A page that is missing allows no access, a clean one allows reading, a written one everything:
//
//   none --fill: write to the memory file, then open--> read --write: SIGSEGV--> read and write
//     ^                                                  ^                            |
//     '----------------- discard ------------------------+--------- harvest ----------'
//
// Two neighbours whose accesses differ cost the kernel a mapping, of which a process has 65,530 by
// default. Well before that end pages are opened in larger units, which melt into one mapping:
//
//   mappings of the budget    a fill takes     a write opens            a discarded page
//   up to a half              the window       one page                 is closed
//   up to all                 whole chunks     what is there of a chunk stays open, as zeros
//   beyond                    whole chunks     all that is there around stays open, as zeros
//
// I1  present_ and written_ say what access each page allows; mappings_ counts the pages that
//     differ from the one before.
// I2  A missing page allows no access, so that its content is whole before any thread sees it.
// I3  To allow a write never fails for want of mappings: opening all that is present between two
//     missing pages joins mappings and splits none.
// I4  Missing pages between two that are present are one mapping: that opening them is refused
//     means that none was opened.
//
// What is lost beyond half the budget: a freed page may be touched without being noticed. What
// ends the program: more lone pages between missing ones than the kernel has mappings, as some
// 30,000 green threads make.
//
// Threads, locks and errors: as dirty_tracker.h says.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "vm/trap_tracker.h"

namespace revenant::vm {

class MprotectTracker final : public TrapTracker {
 public:
  explicit MprotectTracker(const Space& space) : TrapTracker(space) {}

  // At most so many mappings are taken for differing accesses before pages are opened in larger
  // units. Before attach(); 0: half of what the host allows the process.
  void set_budget(std::uint64_t mappings) { budget_ = mappings; }
  [[nodiscard]] std::uint64_t mappings() const { return mappings_.load(std::memory_order_relaxed); }

  [[nodiscard]] std::string_view name() const noexcept override { return "mprotect"; }
  [[nodiscard]] Backing backing() const noexcept override { return Backing::kMemoryFile; }
  [[nodiscard]] base::Status try_out() override;
  [[nodiscard]] base::Status attach() override REVENANT_EXCLUDES(lock_);
  void close() override REVENANT_EXCLUDES(lock_);

  [[nodiscard]] Trap classify(const Access& access) const noexcept override
      REVENANT_EXCLUDES(lock_);
  [[nodiscard]] Filled fill(base::PageRun run, const std::byte* source,
                            FillMode mode) noexcept override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] bool wants_whole_chunks() const noexcept override {
    return mappings() > budget_ / 2;
  }
  void discard(base::PageRun run) noexcept override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] base::Status attach_pool(const FramePool& pool) override {
    pool_ = &pool;
    return {};
  }
  [[nodiscard]] bool prefers_blocks() const noexcept override { return true; }
  [[nodiscard]] PageBits evict(base::PageRun run) noexcept override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] PageBits drop_sealed(base::PageRun run) noexcept override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] Restored restore(base::PageRun run, FillMode mode, Back way) noexcept override
      REVENANT_EXCLUDES(lock_);

 private:
  // Closes the pages of `run` that are there and drops them, copied `to` a pool or not.
  PageBits take_away(base::PageRun run, const FramePool* to) noexcept REVENANT_EXCLUDES(lock_);
  bool deny_writes(base::PageRun run) noexcept override REVENANT_REQUIRES(lock_);
  std::optional<base::PageRun> allow_writes(base::PageNumber page) noexcept override
      REVENANT_REQUIRES(lock_);

  // The kernel's tables, the bitmaps and the count, in one. False where the kernel will not.
  bool set_access(base::PageRun run, PageAccess access) noexcept REVENANT_REQUIRES(lock_);
  // How many pages of [run.first, run.end()] differ in access from the one before.
  [[nodiscard]] std::uint64_t borders(base::PageRun run) const noexcept REVENANT_REQUIRES(lock_);
  [[nodiscard]] PageAccess access_of(base::PageNumber page) const noexcept REVENANT_REQUIRES(lock_);

  std::uint64_t budget_ = 0;         // constant after attach()
  const FramePool* pool_ = nullptr;  // constant after attach_pool()
  std::atomic<std::uint64_t> mappings_{0};
  PageBitmap present_ REVENANT_GUARDED_BY(lock_){space_};
};

}  // namespace revenant::vm
