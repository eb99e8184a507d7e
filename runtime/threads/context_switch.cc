#include "runtime/threads/context_switch.h"

namespace revenant::runtime {

#ifdef REVENANT_TSAN
__attribute__((no_sanitize("thread"))) SanitizerFiber make_fiber(bool resumed) {
  void* fiber = __tsan_create_fiber(0);
  if (resumed) {
    // Deeper than any parked stack of ours: one entry a frame that will return.
    constexpr int kPrimedFrames = 256;
    void* here = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber, 0);
    for (int frame = 0; frame < kPrimedFrames; ++frame) {
      __tsan_func_entry(reinterpret_cast<void*>(&make_fiber));
    }
    __tsan_switch_to_fiber(here, 0);
  }
  return {fiber};
}

void destroy_fiber(SanitizerFiber fiber) {
  if (fiber.tsan != nullptr) __tsan_destroy_fiber(fiber.tsan);
}
#else
SanitizerFiber make_fiber(bool) { return {}; }
void destroy_fiber(SanitizerFiber) {}
#endif

}  // namespace revenant::runtime
