#include "vm/guarded_copy.h"

#include <xmmintrin.h>

extern "C" {
// guarded_copy_x86_64.S: 1 when the page was copied, 0 when the fault port resumed it at its
// failure.
int revenant_vm_copy_page(void* frame, const void* page);
extern const char revenant_vm_copy_page_failed[];
}

namespace revenant::vm {

bool copy_if_present(base::PageNumber page, std::byte* frame) noexcept {
  return revenant_vm_copy_page(frame, page.pointer()) != 0;
}

void publish_copies() noexcept { _mm_sfence(); }

std::uintptr_t copy_failure_address(std::uintptr_t instruction) noexcept {
  const auto first = reinterpret_cast<std::uintptr_t>(&revenant_vm_copy_page);
  const auto failed = reinterpret_cast<std::uintptr_t>(revenant_vm_copy_page_failed);
  return instruction >= first && instruction < failed ? failed : 0;
}

}  // namespace revenant::vm
