// Reading a page that may go away meanwhile.
//
// The snapshotter copies pages from a list that was right when it was made; until the copy a page
// may be freed, and touching it would be a forbidden access, or bring it back. This copy gives up
// instead: the fault port knows its instructions by their addresses and resumes it at its failure.
//
// Threads: any adopted one. The copy is of a moment only if the page is not written meanwhile; a
// page that is, is dirty again, and will be copied again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"

namespace revenant::vm {

// Copies `page` to `frame` (kPageSize bytes, aligned to 16, volatile). False when the page is not
// there. The caller's thread sees the copy at once, others after publish_copies().
[[nodiscard]] bool copy_if_present(base::PageNumber page, std::byte* frame) noexcept;

// Orders the caller's copies before what it does next: they are written past the cache, which a
// release alone does not order.
void publish_copies() noexcept;

// For the fault port: where an access at `instruction` that failed in copy_if_present() goes on, or
// 0.
[[nodiscard]] std::uintptr_t copy_failure_address(std::uintptr_t instruction) noexcept;

}  // namespace revenant::vm
