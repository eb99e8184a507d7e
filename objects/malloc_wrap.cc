// malloc's family as programs see it: `--wrap` sends every call here (cmake/wrapped_symbols.txt).
//
// Who allocates decides for new memory: a persistent domain (allocation_domain.h) gets it from the
// heap, a volatile one from libc. Where it lies decides for old memory: free, realloc and
// malloc_usable_size take either kind from anywhere, and a block stays of its kind when it grows.
// Sizes, alignments and errno are treated as glibc does.
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "objects/allocation_domain.h"
#include "objects/fast_path.h"
#include "objects/misuse.h"

extern "C" {

void* __real_malloc(std::size_t bytes);
void __real_free(void* block);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* block, std::size_t bytes);
void* __real_memalign(std::size_t alignment, std::size_t bytes);
int __real_posix_memalign(void** result, std::size_t alignment, std::size_t bytes);
std::size_t __real_malloc_usable_size(void* block);
// In operator_new.cc, which must be linked wherever this is: a sanitizer's runtime defines the
// operators too, and would be preferred to an archive.
extern const char revenant_operators_are_linked;

}  // extern "C"

namespace revenant::objects {
namespace {

[[gnu::used]] const char* const operators_anchor = &revenant_operators_are_linked;

bool persistent() { return detail::current_domain == AllocationDomain::kPersistent; }

bool too_large(std::size_t bytes) {
  if (bytes <= PTRDIFF_MAX) [[likely]]
    return false;
  errno = ENOMEM;
  return true;
}

void* aligned(std::size_t alignment, std::size_t bytes) {
  if (!persistent()) return __real_memalign(alignment, bytes);
  if (alignment > PTRDIFF_MAX / 2 + 1) {
    errno = EINVAL;
    return nullptr;
  }
  if (too_large(bytes)) return nullptr;
  return Heap::instance()->allocate_aligned(bytes, std::bit_ceil(alignment));
}

}  // namespace
}  // namespace revenant::objects

namespace objects = revenant::objects;

extern "C" {

void* __wrap_malloc(std::size_t bytes) {
  if (!objects::persistent()) return __real_malloc(bytes);
  return objects::FastPath::allocate(bytes);
}

void __wrap_free(void* block) {
  if (objects::in_heap(block)) return objects::FastPath::free(block);
  if (objects::in_space(block)) objects::report_misuse("free", block);
  __real_free(block);
}

void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  if (!objects::persistent()) return __real_calloc(count, bytes);
  std::size_t all = 0;
  if (__builtin_mul_overflow(count, bytes, &all)) all = SIZE_MAX;
  if (objects::too_large(all)) return nullptr;
  return objects::Heap::instance()->allocate_zeroed(all);
}

void* __wrap_realloc(void* block, std::size_t bytes) {
  if (block == nullptr) return __wrap_malloc(bytes);
  if (!objects::in_space(block)) return __real_realloc(block, bytes);
  if (objects::too_large(bytes)) return nullptr;
  return objects::Heap::instance()->reallocate(block, bytes);
}

void* __wrap_reallocarray(void* block, std::size_t count, std::size_t bytes) {
  std::size_t all = 0;
  if (__builtin_mul_overflow(count, bytes, &all)) {
    errno = ENOMEM;
    return nullptr;
  }
  return __wrap_realloc(block, all);
}

void* __wrap_memalign(std::size_t alignment, std::size_t bytes) {
  return objects::aligned(alignment, bytes);
}

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return objects::aligned(alignment, bytes);
}

int __wrap_posix_memalign(void** result, std::size_t alignment, std::size_t bytes) {
  if (!objects::persistent()) return __real_posix_memalign(result, alignment, bytes);
  if (!std::has_single_bit(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  const int saved = errno;
  void* block = objects::aligned(alignment, bytes);
  errno = saved;
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

void* __wrap_valloc(std::size_t bytes) {
  return objects::aligned(revenant::base::kPageSize, bytes);
}

void* __wrap_pvalloc(std::size_t bytes) {
  if (objects::too_large(bytes)) return nullptr;
  return objects::aligned(revenant::base::kPageSize,
                          revenant::base::PageCount::holding(bytes).bytes());
}

std::size_t __wrap_malloc_usable_size(void* block) {
  if (!objects::in_space(block)) return __real_malloc_usable_size(block);
  return objects::Heap::instance()->usable_size(block);
}

}  // extern "C"
