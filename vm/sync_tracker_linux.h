// The tracker of Linux 5.7 and later: userfaultfd refuses a page's first write by SIGBUS.
//
// No handler thread reads the descriptor: handing a fault to one costs ten times the signal.
//
// Threads, locks and errors: as dirty_tracker.h says.
#pragma once

#include <optional>
#include <string_view>

#include "vm/trap_tracker.h"
#include "vm/uffd_linux.h"

namespace revenant::vm {

class SyncTracker final : public TrapTracker {
 public:
  explicit SyncTracker(const Space& space) : TrapTracker(space) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "sync"; }
  [[nodiscard]] Backing backing() const noexcept override { return Backing::kAnonymous; }
  [[nodiscard]] bool user_mode_only() const noexcept override { return uffd_.user_mode_only(); }
  [[nodiscard]] base::Status try_out() override;
  // Whether frames are moved where the kernel can: else they are always copied.
  void set_moving(bool wanted) { uffd_.set_moving(wanted); }
  [[nodiscard]] base::Status attach() override REVENANT_EXCLUDES(lock_);
  void close() override REVENANT_EXCLUDES(lock_);

  [[nodiscard]] Trap classify(const Access& access) const noexcept override;
  [[nodiscard]] Filled fill(base::PageRun run, const std::byte* source,
                            FillMode mode) noexcept override REVENANT_EXCLUDES(lock_);
  void discard(base::PageRun run) noexcept override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] base::Status attach_pool(const FramePool& pool) override;
  [[nodiscard]] PageBits evict(base::PageRun run) noexcept override REVENANT_EXCLUDES(lock_);
  [[nodiscard]] Restored restore(base::PageRun run, FillMode mode, Back way) noexcept override
      REVENANT_EXCLUDES(lock_);

 private:
  bool deny_writes(base::PageRun run) noexcept override REVENANT_REQUIRES(lock_);
  std::optional<base::PageRun> allow_writes(base::PageNumber page) noexcept override
      REVENANT_REQUIRES(lock_);

  const FramePool* pool_ = nullptr;
  Uffd uffd_;
};

}  // namespace revenant::vm
