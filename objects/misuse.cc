#include "objects/misuse.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "objects/slab.h"

namespace revenant::objects {
namespace {

MisuseHandler installed_handler = nullptr;

void print_and_abort(const MisuseReport& report) {
  char line[512];
  const int used = std::snprintf(line, sizeof line, "revenant: %s\n", report.sentence);
  (void)!::write(STDERR_FILENO, line, static_cast<std::size_t>(used));
  std::abort();
}

using Text = char[400];

MisuseReport::Kind describe_slab(const char* call, const std::byte* pointer, Text& text) {
  const Slab& slab = Slab::at(Slab::index_of(pointer));
  const std::uint32_t bytes = slab.geometry().bytes;
  const auto inside = static_cast<std::uint32_t>(pointer - slab.base);
  const std::uint32_t index = inside / bytes;
  if (index >= slab.geometry().blocks) {
    std::snprintf(text, sizeof text,
                  "%s(%p): no block lies here, only the rest of a page; pass what malloc returned",
                  call, static_cast<const void*>(pointer));
    return MisuseReport::Kind::kForeignFree;
  }
  const bool free = slab.is_free(index);
  const std::uint32_t offset = inside % bytes;
  if (free && offset == 0) {
    std::snprintf(text, sizeof text,
                  "%s(%p): this block of %u bytes is free already; a second owner freed it", call,
                  static_cast<const void*>(pointer), bytes);
    return MisuseReport::Kind::kDoubleFree;
  }
  std::snprintf(text, sizeof text,
                "%s(%p): this is %u bytes inside the %sblock of %u bytes at %p, not its beginning; "
                "pass what malloc returned",
                call, static_cast<const void*>(pointer), offset, free ? "free " : "", bytes,
                static_cast<const void*>(pointer - offset));
  return MisuseReport::Kind::kInteriorFree;
}

MisuseReport::Kind describe_run(const char* call, const std::byte* pointer, Text& text) {
  const std::uint64_t page = PageMap::index_of(pointer);
  const void* shown = pointer;
  if (PageMap::kind(page) == PageKind::kLarge) {
    const RunRecord& run = PageMap::record(PageMap::first(page));
    std::snprintf(text, sizeof text,
                  "%s(%p): this is %zu bytes inside the block of %zu bytes at %p, not its "
                  "beginning; pass what malloc returned",
                  call, shown, static_cast<std::size_t>(pointer - run.pointer()),
                  static_cast<std::size_t>(run.run().count.bytes()),
                  static_cast<void*>(run.pointer()));
    return MisuseReport::Kind::kInteriorFree;
  }
  if (is_free(PageMap::kind(page)) || PageMap::kind(page) == PageKind::kReserve) {
    std::snprintf(text, sizeof text,
                  "%s(%p): these pages are free already; a second owner freed what was here", call,
                  shown);
    return MisuseReport::Kind::kDoubleFree;
  }
  std::snprintf(text, sizeof text,
                "%s(%p): the heap never gave out this memory; pass what malloc returned", call,
                shown);
  return MisuseReport::Kind::kForeignFree;
}

}  // namespace

void set_heap_misuse_handler(MisuseHandler handler) noexcept { installed_handler = handler; }

void report_misuse(const char* call, const void* pointer) noexcept {
  Text text;
  MisuseReport report{MisuseReport::Kind::kForeignFree, pointer, text};
  const auto* byte = static_cast<const std::byte*>(pointer);
  if (!in_heap(pointer)) {
    std::snprintf(text, sizeof text,
                  "%s(%p): this is a stack, or the runtime's own; pass what malloc returned", call,
                  pointer);
  } else if (Slab::kind(Slab::index_of(pointer)).load(std::memory_order_acquire) != 0) {
    report.kind = describe_slab(call, byte, text);
  } else {
    report.kind = describe_run(call, byte, text);
  }
  if (installed_handler != nullptr) installed_handler(report);
  print_and_abort(report);
  std::abort();
}

}  // namespace revenant::objects
