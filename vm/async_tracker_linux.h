// The tracker of Linux 6.7 and later: the kernel resolves write faults, one call harvests them.
//
// A write to a protected page costs 0.9 us and no signal. A harvest scans the warm chunks, run by
// run, less the excluded pages. The chunk's last dirty harvest is noted on the way; what stayed
// clean for kCoolAfter harvests may be cooled.
//
// I1  Chunks that hold excluded pages count as dirty: a hot page's chunk never becomes cold.
// I2  deferred pages are taken after the scans (chunk_temperature.h, I1).
//
// Cold chunks: a chunk that stayed clean for a while is handed to the hardware (read-only), and is
// not scanned until its first write announces itself. Harvests then cost what is warm.
//
// Threads, locks and errors: as dirty_tracker.h says; scan() is for ChunkTemperature, under its
// lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "vm/chunk_temperature.h"
#include "vm/dirty_tracker.h"
#include "vm/pagemap_linux.h"
#include "vm/space.h"
#include "vm/uffd_linux.h"

namespace revenant::vm {

class AsyncTracker final : public DirtyTracker, private PageScanner {
 public:
  // A harvest's look at a chunk costs 1 us; to cool it and warm it again, some 10 us. Cooling it
  // once looking has cost about as much is never far from the best choice (ski rental).
  static constexpr std::uint32_t kCoolAfter = 32;

  explicit AsyncTracker(const Space& space) : space_(space) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "async"; }
  [[nodiscard]] Backing backing() const noexcept override { return Backing::kAnonymous; }
  [[nodiscard]] bool user_mode_only() const noexcept override { return uffd_.user_mode_only(); }
  [[nodiscard]] base::Status try_out() override;
  // Whether frames are moved where the kernel can: else they are always copied.
  void set_moving(bool wanted) { uffd_.set_moving(wanted); }
  [[nodiscard]] base::Status attach() override;
  void close() override;
  [[nodiscard]] base::Status harvest(std::span<const base::PageRun> excluded,
                                     DirtyList& out) override;
  [[nodiscard]] base::Status protect(base::PageRun run) override;
  [[nodiscard]] base::Result<std::size_t> cool(std::size_t max_chunks) override;
  [[nodiscard]] Trap classify(const Access& access) const noexcept override;
  [[nodiscard]] bool resolve_write(base::PageNumber page) noexcept override;
  [[nodiscard]] Filled fill(base::PageRun run, const std::byte* source,
                            FillMode mode) noexcept override;
  void discard(base::PageRun run) noexcept override { space_.discard(run); }
  [[nodiscard]] base::Status attach_pool(const FramePool& pool) override;
  [[nodiscard]] PageBits evict(base::PageRun run) noexcept override;
  [[nodiscard]] Restored restore(base::PageRun run, FillMode mode, Back way) noexcept override;

  [[nodiscard]] bool is_cold(base::PageNumber page) const noexcept;

 private:
  [[nodiscard]] base::Status scan(base::PageRun pages, DirtyList& out) override;
  void note_dirty(base::PageRun run) noexcept;
  [[nodiscard]] bool stayed_clean(ChunkIndex chunk) const noexcept;
  // The first run of at most `limit` clean chunks of `chunks`, from its chunk `from` on.
  [[nodiscard]] ChunkRun next_clean(ChunkRun chunks, std::uint32_t from,
                                    std::size_t limit) const noexcept;

  const Space& space_;
  const FramePool* pool_ = nullptr;
  Uffd uffd_;
  ChunkTemperature temperature_{space_};
  Pagemap harvest_pagemap_;  // used by harvests
  Pagemap cool_pagemap_;     // used under the temperature's lock, also beside a harvest
  DirtyList found_;          // by the harvest that runs
  std::atomic<std::uint32_t> harvests_{0};
  // The number of the last harvest in which a chunk was dirty, excluded or newly filled.
  std::array<std::atomic<std::uint32_t>, kChunkLimit> last_dirty_{};
};

}  // namespace revenant::vm
