#include "runtime/calls/green_caller.h"

#include "runtime/persistent_globals.h"
#include "runtime/threads/worker.h"
#include "vm/space.h"

namespace revenant::runtime {

__attribute__((noinline)) GreenThread* green_caller() noexcept {
  const Worker* worker = Worker::of_this_thread();
  GreenThread* thread = worker == nullptr ? nullptr : worker->current();
  if (thread == nullptr) return nullptr;
  const auto* frame = static_cast<const std::byte*>(__builtin_frame_address(0));
  // The descriptor lies at the top of its own stack.
  const auto* top = reinterpret_cast<const std::byte*>(thread);
  return frame < top && frame >= thread->record.stack_low ? thread : nullptr;
}

bool is_persistent(const void* address) noexcept {
  return vm::kSpaceRun.contains(base::PageNumber::of(address)) || is_persistent_global(address);
}

}  // namespace revenant::runtime
