// What the heap asks of the vm room, and nothing more.
//
// The runtime implements it over vm::MemoryManager; unit tests over plain memory.
#pragma once

#include "base/units.h"

namespace revenant::objects {

class PageService {
 public:
  virtual ~PageService() = default;

  // Gives the pages' frames back. The heap has already made their tickets forbidden and will not
  // touch them before it has carved them anew; then they read as zeros. Called under kHeapRuns.
  virtual void release(base::PageRun run) noexcept = 0;
};

}  // namespace revenant::objects
