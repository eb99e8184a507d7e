// The space without vm and store: plain memory at its addresses, and a page service that notes what
// it is asked for.
#pragma once

#include <cstddef>
#include <vector>

#include "base/lock.h"
#include "objects/page_service.h"
#include "objects/world.h"

namespace revenant::objects {

// Maps what lies below the stacks, and makes a world there.
class PlainSpace {
 public:
  PlainSpace();
  ~PlainSpace();
  PlainSpace(const PlainSpace&) = delete;
  PlainSpace& operator=(const PlainSpace&) = delete;

  World& world() { return World::at_home(); }
};

class FakePages final : public PageService {
 public:
  enum class OnRelease { kZero, kPoison };

  void release(base::PageRun run) noexcept override;

  void set_mode(OnRelease mode) { mode_ = mode; }
  [[nodiscard]] std::vector<base::PageRun> take_released();

 private:
  base::Lock lock_{base::LockRank::kDirtyList};
  OnRelease mode_ = OnRelease::kZero;
  std::vector<base::PageRun> released_ REVENANT_GUARDED_BY(lock_);
};

inline constexpr std::byte kPoison{0xdb};

// All `bytes` bytes at `begin` are `value`.
bool all_are(const void* begin, std::size_t bytes, std::byte value);

}  // namespace revenant::objects
