// A running program's figures at one moment, and how they are printed.
//
// One thread.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/lock_waits.h"
#include "cli/live_program_linux.h"
#include "cli/print.h"
#include "cli/verb.h"
#include "runtime/live_statistics.h"
#include "vm/memory_statistics.h"

namespace revenant::cli {

struct Sample {
  pid_t process = 0;
  ProcessState state;
  runtime::LiveHeader header;
  std::int64_t monotonic_ns = 0;
  std::int64_t wall_ns = 0;
  vm::MemoryStatistics memory;
  std::array<base::LockWaits, base::kLockRanks> locks;
  std::uint64_t committed = 0;
  std::uint64_t failed = 0;
  bool failing = false;  // since the last commit
  runtime::CommittedSnapshot last;
  runtime::FailedSnapshot last_failure;
  std::vector<std::uint32_t> pauses_us;   // the newest, sorted
  std::vector<std::uint32_t> commits_us;  // the newest, sorted
};

Sample take_sample(const LiveProgram& program);

// Rates are those since `before`; without it, of the whole time that the program has been running.
Json status_json(const std::filesystem::path& store, const Sample& sample, const Sample* before);
void print_status(const Context& context, const Sample& sample, const Sample* before);

}  // namespace revenant::cli
