// A program that runs, looked at through what it shows of itself (runtime/live_statistics.h).
//
// Nothing is asked of the program: it may be stopped, stuck, or busy.
//
// I1  Only what the store's owner shows is shown as the store's.
// I2  What the file says is believed once its version and layout are this tool's.
// I3  What an owner that is ending shows no more is no error: nobody runs the store.
//
// One thread. Errors, each one sentence: kIoFailed where the owner cannot be looked into or shows
// nothing, kAnotherFormat where it is of another version.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <boost/interprocess/mapped_region.hpp>

#include "base/result.h"
#include "runtime/live_statistics.h"
#include "store/snapshot_record.h"

namespace revenant::cli {

// The process, as the kernel describes it.
struct ProcessState {
  std::string activity;              // "running", "sleeping", "stopped", ...
  std::uint64_t resident_bytes = 0;  // anonymous memory
};

class LiveProgram {
 public:
  // The program that runs the store `id` at `store`; nothing if nobody does.
  static base::Result<std::optional<LiveProgram>> find(const std::filesystem::path& store,
                                                       const store::StoreId& id);

  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] const runtime::LiveStatistics& figures() const {
    return *static_cast<const runtime::LiveStatistics*>(region_.get_address());
  }
  // As it is now.
  [[nodiscard]] ProcessState state() const;

 private:
  static base::Result<LiveProgram> look_into(const std::filesystem::path& store, pid_t process,
                                             const store::StoreId& id);
  LiveProgram(pid_t process, boost::interprocess::mapped_region region)
      : process_(process), region_(std::move(region)) {}

  pid_t process_;
  boost::interprocess::mapped_region region_;
};

}  // namespace revenant::cli
