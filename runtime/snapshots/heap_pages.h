// What the heap asks of the vm room, answered by the memory manager.
#pragma once

#include "objects/page_service.h"
#include "vm/memory_manager.h"

namespace revenant::runtime {

class HeapPages final : public objects::PageService {
 public:
  explicit HeapPages(vm::MemoryManager& memory) : memory_(memory) {}

  void release(base::PageRun run) noexcept override { memory_.release(run); }

 private:
  vm::MemoryManager& memory_;
};

}  // namespace revenant::runtime
