// What a program is told about its own running: flags beat environment beats defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/cli11_fwd.h"
#include "vm/dirty_tracker.h"
#include "vm/space.h"

namespace revenant::runtime {

// Parsing and starting take up to 20 KiB of the process's first stack; beyond its limit is SIGSEGV.
inline constexpr std::size_t kLeastMainStack = std::size_t{32} << 10;
// Addresses that a program reserves beside its store's map, however little of them it uses: the
// space, as many for page copies, and tables of both (17 GiB at the start).
inline constexpr std::size_t kProgramAddresses = 2 * vm::kSpaceSize + 24 * vm::kGiB;
// kUnsupportedHost where this process has less.
[[nodiscard]] base::Status check_stack_limit();

struct RunOptions {
  std::filesystem::path store;
  std::chrono::nanoseconds snapshot_every = std::chrono::milliseconds(100);
  std::chrono::nanoseconds pause_target = std::chrono::microseconds(200);
  std::size_t memory_bytes = 0;  // of the space, in memory at most; 0: no limit
  std::size_t stack_bytes = std::size_t{256} * 1024;
  vm::TrackerChoice tracker = vm::TrackerChoice::kAuto;
  bool upgrade = false;
  bool check_volatile = false;
  std::string program;                 // its file's name
  std::vector<std::string> arguments;  // what is left for the program
};

// What came of a command line.
struct ParsedOptions {
  RunOptions options;
  bool exit_now = false;  // --help was asked for, and printed
};

// Reads this start's flags and environment; kUsage for what is wrong, and for what this version
// does not offer.
base::Result<ParsedOptions> parse_options(int argc, const char* const* argv);

// Lends the parser of these flags: what their manual page is made from.
void with_program_flags(const std::function<void(const CLI::App&)>& use);

// kUsage for values out of range.
base::Status check_options(const RunOptions& options);

// "64M", "2G", "4096".
base::Result<std::size_t> parse_size(const std::string& text);

}  // namespace revenant::runtime
