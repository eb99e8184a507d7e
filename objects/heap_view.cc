#include "objects/heap_view.h"

#include <bit>
#include <string>

#include "objects/slab.h"
#include "objects/world.h"

namespace revenant::objects {
namespace {

Block large_block(std::uint64_t first) {
  const RunRecord& run = PageMap::record(first);
  return {run.pointer(), run.run().count.bytes(), run.type};
}

Block slab_block(const Slab& slab, std::uint32_t index) {
  const std::size_t bytes = slab.geometry().bytes;
  const TypeId* types = slab.types.load(std::memory_order_acquire);
  return {slab.base + index * bytes, bytes, types == nullptr ? kUnknownType : types[index]};
}

base::Status broken(const char* what, std::uint64_t index) {
  return base::Error{base::ErrorCode::kStoreDamaged,
                     "heap page " + std::to_string(index) + ": " + what};
}

const char* fault_of(const Slab& slab) {
  std::uint32_t used = slab.geometry().blocks;
  std::uint64_t words = 0;
  for (unsigned word = 0; word < Slab::kWords; ++word) {
    const std::uint64_t bits = slab.free[word].load();
    const std::uint32_t first = word * 64;
    const std::uint32_t end = slab.geometry().blocks;
    if (first >= end) break;
    if ((bits & slab.remote[word].load()) != 0) return "a block is free twice";  // I1
    const std::uint64_t valid =
        end - first >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (end - first)) - 1;
    if (((bits | slab.remote[word].load()) & ~valid) != 0) return "a free bit beyond the blocks";
    if (bits != 0) words |= std::uint64_t{1} << word;
    used -= static_cast<std::uint32_t>(std::popcount(bits));
  }
  if (words != slab.summary.load()) return "a slab's summary disagrees with its bits";  // I2
  if (used != slab.used.load()) return "a slab's count disagrees with its bits";        // I3
  return nullptr;
}

}  // namespace

std::optional<Block> HeapView::resolve(const void* pointer) const {
  if (!in_heap(pointer)) return std::nullopt;
  const std::uint64_t page = PageMap::index_of(pointer);
  switch (PageMap::kind(page)) {
    case PageKind::kLarge:
      return large_block(PageMap::first(page));
    case PageKind::kSlab: {
      const Slab& slab = Slab::at(Slab::index_of(pointer));
      if (Slab::kind(Slab::index_of(pointer)).load(std::memory_order_acquire) == 0) break;
      const auto inside =
          static_cast<std::uint32_t>(static_cast<const std::byte*>(pointer) - slab.base);
      const std::uint32_t index = block_index(slab.geometry(), inside);
      if (index >= slab.geometry().blocks || slab.is_free(index)) break;
      return slab_block(slab, index);
    }
    default:
      break;
  }
  return std::nullopt;
}

void HeapView::for_each_block(base::FunctionRef<void(const Block&)> visit) const {
  const std::uint64_t top = world_.heap.runs.top;
  for (std::uint64_t page = 0; page < top; page += PageMap::record(page).pages) {
    const PageKind kind = PageMap::kind(page);
    if (kind == PageKind::kLarge) visit(large_block(page));
    if (kind != PageKind::kSlab) continue;
    const Slab& slab = Slab::at(Slab::index_of(PageMap::pointer_of(page)));
    for (std::uint32_t index = 0; index < slab.geometry().blocks; ++index) {
      if (!slab.is_free(index)) visit(slab_block(slab, index));
    }
  }
}

HeapFigures HeapView::figures() const {
  HeapFigures figures;
  for_each_block([&figures](const Block& block) {
    ++figures.blocks;
    figures.block_bytes += block.size;
  });
  const std::uint64_t top = world_.heap.runs.top;
  for (std::uint64_t page = 0; page < top; page += PageMap::record(page).pages) {
    const std::uint64_t pages = PageMap::record(page).pages;
    switch (PageMap::kind(page)) {
      case PageKind::kLarge:
        figures.large_pages += pages;
        break;
      case PageKind::kSlab:
        figures.slab_pages += pages;
        break;
      case PageKind::kReserve:
        figures.reserve_pages += pages;
        break;
      case PageKind::kInternal:
        figures.internal_pages += pages;
        break;
      case PageKind::kRetained:
        figures.retained_pages += pages;
        break;
      case PageKind::kReleased:
        figures.released_pages += pages;
        break;
      case PageKind::kUntouched:
        break;
    }
  }
  return figures;
}

vm::Ticket HeapView::ticket_of(base::PageNumber page) noexcept {
  const std::uint64_t index = PageMap::index_of(page.pointer());
  switch (PageMap::kind(index)) {
    case PageKind::kLarge:
    case PageKind::kInternal:
    case PageKind::kSlab:
      return vm::Ticket::stored({PageMap::record(PageMap::first(index)).epoch_for_ticket()});
    case PageKind::kRetained:
    case PageKind::kReleased:
    case PageKind::kReserve:
      return vm::Ticket::forbidden(vm::ForbiddenReason::kFreed);
    case PageKind::kUntouched:
      break;
  }
  return vm::Ticket::forbidden(vm::ForbiddenReason::kUnmapped);
}

base::Status HeapView::check_invariants() const {
  const std::uint64_t top = world_.heap.runs.top;
  std::uint64_t page = 0;
  while (page < top) {
    const std::uint64_t pages = PageMap::record(page).pages;
    const PageKind kind = PageMap::kind(page);
    if (pages == 0 || page + pages > top) return broken("its run ends beyond the heap", page);
    if (kind == PageKind::kUntouched) return broken("never carved, yet below the top", page);
    for (std::uint64_t inner = page; !is_free(kind) && inner < page + pages; ++inner) {
      if (PageMap::kind(inner) != kind || PageMap::first(inner) != page) {
        return broken("it does not point to its run", inner);
      }
    }
    const std::uint64_t slab = Slab::index_of(PageMap::pointer_of(page));
    const bool in_use = Slab::kind(slab).load() != 0;
    if (in_use ? kind == PageKind::kReserve : kind == PageKind::kSlab) {
      return broken("its slab's kind disagrees", page);
    }
    if (kind == PageKind::kSlab) {
      if (const char* what = fault_of(Slab::at(slab)); what != nullptr) return broken(what, page);
    }
    page += pages;
  }
  return page == top ? base::Status{} : broken("the runs do not end at the top", page);
}

}  // namespace revenant::objects
