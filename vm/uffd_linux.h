// The kernel's userfaultfd, as the house uses it: missing pages by SIGBUS, writes noted by the
// kernel or refused by SIGBUS.
//
// What the kernel can do is found out by asking for it and by trying it (DirtyTracker::try_out()),
// never by its version: distributions carry features back, containers take them away.
//
// I1  The descriptor is close-on-exec, and works for an unprivileged user (user faults only) where
//     the privileged form is refused.
// I2  No call here allocates; fill(), move(), write_protect() and allow_writes() are safe in a
//     signal handler and keep errno.
//
// Threads: open() and close() by one thread, while no other uses the object; the rest from any.
// Errors: what the kernel refuses comes back as a sentence that names the call and the way out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "base/units.h"
#include "vm/frame_pool.h"
#include "vm/page_fill.h"
#include "vm/space.h"

namespace revenant::vm {

class Uffd {
 public:
  // Who resolves a write to a protected page: the kernel, noting it, or the writer, by SIGBUS.
  enum class Writes { kAsync, kSync };

  Uffd() = default;
  ~Uffd() { close(); }
  Uffd(const Uffd&) = delete;
  Uffd& operator=(const Uffd&) = delete;

  [[nodiscard]] base::Status open(Writes writes);
  void close();

  // Missing pages of `run` raise SIGBUS from here on, and its writes can be noted.
  [[nodiscard]] base::Status register_run(base::PageRun run);

  // Fills the missing pages of `run` from as many pages at `source`; those present stay as they
  // are.
  [[nodiscard]] Filled fill(base::PageRun run, const std::byte* source, FillMode mode) noexcept;

  // Moves the pages of `run`, at most 32, to as many at `target`, registered and missing, each at
  // one instant. Says which were moved: not those that are missing, nor those that the kernel
  // shares with a child of fork. None by a kernel before 6.8.
  [[nodiscard]] PageBits move(base::PageRun run, base::PageNumber target) noexcept;
  // Where pages cannot be moved: copies those of `run` in `pages` to `place`, and drops them from
  // the space. No write to them may go through meanwhile. Says which went.
  [[nodiscard]] PageBits copy_and_drop(const Space& space, base::PageRun run,
                                       base::PageNumber place, PageBits pages) noexcept;
  // The way back from the pool. Says which came.
  [[nodiscard]] PageBits copy_back(const FramePool& pool, base::PageRun run, PageBits pages,
                                   FillMode mode) noexcept;
  // Whether the kernel is asked to move at all; it is not, if it does not know how.
  void set_moving(bool wanted) { moving_ = moving_ && wanted; }

  // Protects the pages of `run` that are present: their next write is noted, or refused. 0, or the
  // error of a kernel that does not do it.
  [[nodiscard]] int write_protect(base::PageRun run) noexcept;
  [[nodiscard]] int allow_writes(base::PageRun run) noexcept;

  // True when the descriptor only serves faults of user code (an unprivileged process).
  [[nodiscard]] bool user_mode_only() const { return user_mode_only_; }

 private:
  [[nodiscard]] base::Status open_descriptor();
  [[nodiscard]] int set_protection(base::PageRun run, std::uint64_t mode) noexcept;

  int descriptor_ = -1;
  bool user_mode_only_ = false;
  bool moving_ = false;
};

}  // namespace revenant::vm
