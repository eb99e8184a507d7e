#include "runtime/calls/green_caller.h"

#include "runtime/worker.h"
#include "vm/space.h"

extern "C" {
extern std::byte __revenant_low_start[] __attribute__((weak));
extern std::byte __revenant_low_end[] __attribute__((weak));
}

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
  const auto* byte = static_cast<const std::byte*>(address);
  return vm::kSpaceRun.contains(base::PageNumber::of(address)) ||
         (byte >= __revenant_low_start && byte < __revenant_low_end);
}

}  // namespace revenant::runtime
