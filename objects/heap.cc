#include "objects/heap.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "objects/fast_path.h"
#include "objects/misuse.h"
#include "objects/world.h"

namespace revenant::objects {
namespace {

constexpr std::size_t kHeapBytes = kHeapEnd - kHeapBegin;

void* out_of_memory() {
  errno = ENOMEM;
  return nullptr;
}

// The block that begins at `pointer`; ends the program if there is none.
Block block_at(const HeapView& view, const char* call, const void* pointer) {
  const auto block = view.resolve(pointer);
  if (!block || block->begin != pointer) report_misuse(call, pointer);
  return *block;
}

// Size does not tell: an aligned block of whole pages may be small.
bool in_slab(const std::byte* block) {
  return Slab::kind(Slab::index_of(block)).load(std::memory_order_relaxed) != 0;
}

}  // namespace

Heap::Heap(World& world, PageService& pages, unsigned workers)
    : view_(world), runs_(world, pages), shards_(world, runs_, workers) {
  REVENANT_CHECK(instance_ == nullptr, "a second heap");
  instance_ = this;
}

Heap::~Heap() { instance_ = nullptr; }

void Heap::bind_worker(unsigned index) noexcept {
  REVENANT_CHECK(index < kMaxWorkers, "worker %u", index);
  detail::current_shard = &shards_.prepare(index);
}

void Heap::unbind_worker() noexcept { detail::current_shard = nullptr; }

void* Heap::allocate(std::size_t bytes) noexcept { return FastPath::allocate(bytes); }

void* Heap::allocate_slow(std::size_t bytes) noexcept {
  if (bytes > kMaxSlabBlock) return allocate_large(bytes, kMinAlignment, false);
  std::byte* block = shards_.allocate(size_class(bytes));
  return block != nullptr ? block : out_of_memory();
}

void* Heap::allocate_large(std::size_t bytes, std::size_t alignment, bool zeroed) noexcept {
  if (bytes > kHeapBytes || alignment > kHeapBytes) return out_of_memory();
  const std::uint64_t pages = std::max<std::uint64_t>(base::PageCount::holding(bytes).value, 1);
  const std::uint64_t alignment_pages = std::max<std::uint64_t>(alignment >> base::kPageShift, 1);
  const auto carved = runs_.carve(pages, alignment_pages, PageKind::kLarge);
  if (!carved) return out_of_memory();
  std::byte* block = carved->record->pointer();
  if (zeroed && !carved->zeros) std::memset(block, 0, pages << base::kPageShift);
  return block;
}

void* Heap::allocate_zeroed(std::size_t bytes) noexcept {
  if (bytes > kMaxSlabBlock) return allocate_large(bytes, kMinAlignment, true);
  void* block = FastPath::allocate(bytes);
  if (block != nullptr) std::memset(block, 0, bytes);
  return block;
}

void* Heap::allocate_aligned(std::size_t bytes, std::size_t alignment) noexcept {
  if (alignment <= kMinAlignment) return FastPath::allocate(bytes);
  // A slab lies at a multiple of 64 KiB: a class whose size is a multiple of the alignment will do.
  if (const std::size_t least = std::max(bytes, alignment); least <= kMaxSlabBlock) {
    for (std::size_t index = size_class(least); index < kClasses; ++index) {
      if (kClassBytes[index] % alignment == 0) return FastPath::allocate(kClassBytes[index]);
    }
  }
  return allocate_large(bytes, alignment, false);
}

void Heap::free(void* block) noexcept {
  if (block == nullptr) return;
  if (!in_heap(block)) report_misuse("free", block);
  FastPath::free(block);
}

void Heap::free_slow(void* block) noexcept {
  const std::uint64_t index = Slab::index_of(block);
  const std::uint8_t kind = Slab::kind(index).load(std::memory_order_acquire);
  if (kind == 0) {
    if (!runs_.free_block(static_cast<std::byte*>(block))) report_misuse("free", block);
    return;
  }
  Slab& slab = Slab::at(index);
  const ClassGeometry& geometry = kGeometry[kind - 1];
  const auto inside = static_cast<std::uint32_t>(static_cast<std::byte*>(block) - slab.base);
  const std::uint32_t number = block_index(geometry, inside);
  const bool is_block = number * geometry.bytes == inside && number < geometry.blocks;
  const Shard* shard = detail::current_shard;
  const bool own = shard != nullptr && slab.shard.load(std::memory_order_relaxed) == shard->index;
  // What the owner's fast path sent here is no block, or was free already.
  if (!is_block || own || !shards_.free_remote(slab, number)) report_misuse("free", block);
}

std::size_t Heap::usable_size(void* block) noexcept {
  return block == nullptr ? 0 : block_at(view_, "malloc_usable_size", block).size;
}

bool Heap::resize_in_place(const Block& block, std::size_t bytes) noexcept {
  if (in_slab(block.begin)) {
    // A block at most half used would waste more than moving costs.
    return bytes <= block.size && bytes * 2 >= block.size;
  }
  if (bytes <= kMaxSlabBlock || bytes > kHeapBytes) return false;
  RunRecord& run = PageMap::record(PageMap::index_of(block.begin));
  return runs_.resize(run, base::PageCount::holding(bytes).value);
}

void* Heap::reallocate(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return FastPath::allocate(bytes);
  if (bytes == 0) {
    free(block);
    return nullptr;
  }
  const Block old = block_at(view_, "realloc", block);
  if (resize_in_place(old, bytes)) return block;
  void* moved = FastPath::allocate(bytes);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(old.size, bytes));
  if (old.type != kUnknownType) set_type(moved, old.type);
  free(block);
  return moved;
}

void Heap::set_type(void* block, TypeId type) noexcept {
  const Block described = block_at(view_, "set_type", block);
  if (!in_slab(described.begin)) {
    PageMap::record(PageMap::index_of(block)).type = type;
    return;
  }
  Slab& slab = Slab::at(Slab::index_of(block));
  TypeId* slots = slab.types.load(std::memory_order_acquire);
  if (slots == nullptr) slots = make_type_slots(slab);
  const auto inside = static_cast<std::uint32_t>(static_cast<std::byte*>(block) - slab.base);
  if (slots != nullptr) slots[block_index(slab.geometry(), inside)] = type;
}

// Null when the heap is exhausted: the block's type then stays unknown.
TypeId* Heap::make_type_slots(Slab& slab) noexcept {
  const auto pages = base::PageCount::holding(slab.geometry().blocks * sizeof(TypeId));
  const auto carved = runs_.carve(pages.value, 1, PageKind::kInternal);
  if (!carved) return nullptr;
  auto* made = reinterpret_cast<TypeId*>(carved->record->pointer());
  std::memset(made, 0, pages.bytes());
  TypeId* slots = nullptr;
  if (slab.types.compare_exchange_strong(slots, made, std::memory_order_acq_rel)) return made;
  runs_.free(*carved->record);  // another thread was faster
  return slots;
}

void Heap::release_free_pages() noexcept {
  shards_.tidy();
  runs_.release_retained();
}

base::Status Heap::check_invariants() const {
  REVENANT_TRY(runs_.check_invariants());
  return view_.check_invariants();
}

}  // namespace revenant::objects
