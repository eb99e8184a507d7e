// Double and foreign frees: named, and not obeyed.
//
// The heap describes what was passed to free or realloc in one sentence and calls the handler,
// which must not return. The default prints the sentence and aborts; the runtime sets one that adds
// the green thread's name and a backtrace.
#pragma once

#include <cstddef>

namespace revenant::objects {

struct MisuseReport {
  enum class Kind {
    kDoubleFree,    // the block is free already
    kInteriorFree,  // inside a block, not at its beginning
    kForeignFree,   // in the space, but in no block
  };

  Kind kind;
  const void* pointer;
  const char* sentence;  // "free(0x...): ..." with neither newline nor program name
};

using MisuseHandler = void (*)(const MisuseReport&);

// Null restores the default. Set once at start, before green threads run.
void set_heap_misuse_handler(MisuseHandler handler) noexcept;

// Describes `pointer`, which `call` ("free", "realloc", ...) was given, and ends the program.
[[noreturn]] void report_misuse(const char* call, const void* pointer) noexcept;

}  // namespace revenant::objects
