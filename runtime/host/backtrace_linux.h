// Who called whom: return addresses, and what they are called in the source.
//
// Capturing walks the running stack by its unwind tables, through a signal's frame if there is one.
// Describing reads the executable's debug information (libbacktrace), into memory mapped for it.
//
// Threads: any may capture; one at a time describes. Both may be done in a signal handler, on a
// volatile stack.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/host/report_text.h"

namespace revenant::runtime {

struct Backtrace {
  static constexpr std::size_t kMaxFrames = 64;
  std::array<std::uintptr_t, kMaxFrames> frames{};
  std::size_t count = 0;
};

// The calls that led here, innermost first. `first`: the address of an instruction; what lies
// inside of its frame is left out, if that frame is found.
Backtrace capture_backtrace(std::uintptr_t first = 0);

// A line a frame: number, address, function, file and line.
void describe(const Backtrace& backtrace, ReportText& text);

// The function or the variable that `address` lies in, as the linker calls it; empty if unknown.
// Allocates.
[[nodiscard]] std::string symbol_at(std::uintptr_t address);

// The same as the source calls it.
[[nodiscard]] std::string readable(const std::string& symbol);

}  // namespace revenant::runtime
