#include "vm/scratch_pages_linux.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "vm/volatile_memory.h"

namespace revenant::vm {
namespace {

constexpr base::PageCount kPages{2};
alignas(base::kPageSize) std::byte zeros[base::kPageSize];

}  // namespace

ScratchPages::~ScratchPages() { release_volatile(memory_, kPages.bytes()); }

base::Status ScratchPages::open() {
  REVENANT_ASSIGN(memory_, reserve_volatile(kPages.bytes(), "trying how writes are tracked"));
  return {};
}

base::PageRun ScratchPages::pages() const { return {base::PageNumber::of(memory_), kPages}; }

const std::byte* scratch_zeros() { return zeros; }

bool kernel_writes_to(base::PageNumber page) {
  return ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page.pointer()) == 0;
}

}  // namespace revenant::vm
