#include "cli/host_check_linux.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <semaphore>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/print.h"
#include "runtime/host/descriptor_table.h"
#include "runtime/options.h"
#include "store/lmdb_environment.h"
#include "store/owner_lock.h"
#include "vm/space.h"
#include "vm/tracker_trials.h"
#include "vm/volatile_memory.h"

namespace revenant::cli {
namespace {

using Need = HostCheck::Need;

constexpr std::uint64_t kUsualMappings = 65530;
constexpr std::uint64_t kLittleSpace = std::uint64_t{256} << 20;
constexpr rlim_t kFewFiles = 256;
// A new store's files have 160 KiB.
constexpr rlim_t kSmallestStore = rlim_t{256} << 10;
// The housekeeping thread, the worker, and one that makes a call that blocks.
constexpr int kFewestThreads = 3;

// What mkstemp and mkdtemp make names of.
constexpr const char* kScratchPattern = ".revenant-doctor-XXXXXX";

std::string error_text(int error) { return std::strerror(error); }

rlim_t limit_of(__rlimit_resource resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

template <class Readable>
std::string limit_text(rlim_t limit, Readable readable) {
  return limit == RLIM_INFINITY ? "no limit" : fmt::format("at most {}", readable(limit));
}

// A file without a name in `directory`, gone when closed; negative errno where there can be none.
class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& directory)
      : path_(directory / kScratchPattern) {
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
    error_ = descriptor_ < 0 ? errno : 0;
  }
  ~ScratchFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] bool ok() const { return descriptor_ >= 0; }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  int error_ = 0;
};

// What a program reserves however little it uses, and the least map of a store; then the space in
// its place.
base::Status reserve_as_a_program() {
  {
    vm::ReservedMemory addresses;
    REVENANT_TRY(addresses.reserve(runtime::kProgramAddresses + store::kSmallestMap, "a program"));
  }
  return std::make_unique<vm::Space>()->open({}, vm::Backing::kAnonymous);
}

HostCheck check_addresses() {
  HostCheck check{.feature = "address space",
                  .cost = "no program can start",
                  .mend = "ulimit -v unlimited; vm.overcommit_memory 0 or 1"};
  const base::Status reserved = reserve_as_a_program();
  check.works = reserved.ok();
  check.detail = reserved.ok() ? fmt::format("{} GiB at {}", vm::kSpaceSize / vm::kGiB,
                                             hex_address(vm::kSpaceBase))
                               : reserved.error().message;
  return check;
}

HostCheck check_stack() {
  HostCheck check{.feature = "stack",
                  .cost = "no program can start",
                  .mend = fmt::format("ulimit -s {}", runtime::kLeastMainStack >> 10)};
  const rlim_t limit = limit_of(RLIMIT_STACK);
  check.works = limit >= runtime::kLeastMainStack;
  check.detail = limit_text(limit, human_bytes);
  return check;
}

HostCheck check_threads() {
  HostCheck check{.feature = "threads", .cost = "no program can start", .mend = "ulimit -u 1024"};
  std::counting_semaphore<kFewestThreads> end(0);
  std::vector<std::jthread> threads;  // waited for before `end` goes
  try {
    for (int i = 0; i < kFewestThreads; ++i) threads.emplace_back([&end] { end.acquire(); });
    check.works = true;
    check.detail = fmt::format("{} can be started", kFewestThreads);
  } catch (const std::system_error& error) {
    check.detail = error.what();
  }
  end.release(static_cast<std::ptrdiff_t>(threads.size()));
  return check;
}

HostCheck of_trial(const vm::TrackerTrial& trial) {
  struct Words {
    const char* name;
    const char* works;
    const char* cost;
    const char* mend;
  };
  static constexpr std::array<Words, 3> kWords{{
      {"async", "the kernel notes writes itself, at about 1 us a page and snapshot",
       "a first write costs a signal, 4 us and more",
       "Linux 6.7 or later; in a container, the seccomp profile of /usr/share/revenant"},
      {"sync", "a first write to a page costs a signal, about 4 us",
       "without async too, a first write costs 6 us, and mappings",
       "Linux 5.7 or later; in a container, the seccomp profile of /usr/share/revenant"},
      {"mprotect", "a first write to a page costs a signal, about 6 us",
       "without userfaultfd too, no program can start", "allow memfd_create and mprotect"},
  }};
  HostCheck check{.feature = "tracker " + trial.name, .need = Need::kBetter, .works = trial.works};
  const auto* const words =
      std::ranges::find_if(kWords, [&](const Words& each) { return trial.name == each.name; });
  check.detail = trial.works ? words->works : trial.why_not;
  if (trial.works && trial.user_mode_only) check.detail += " (unprivileged)";
  check.cost = words->cost;
  check.mend = words->mend;
  return check;
}

HostCheck check_tracking(const std::vector<HostCheck>& trackers) {
  HostCheck check{.feature = "write tracking",
                  .cost = "no program can start",
                  .mend = "one of the trackers above has to work"};
  const auto best = std::ranges::find_if(trackers, &HostCheck::works);
  check.works = best != trackers.end();
  check.detail = check.works ? "programs take " + best->feature : "no tracker works";
  return check;
}

HostCheck check_mappings() {
  HostCheck check{.feature = "memory mappings",
                  .need = Need::kBetter,
                  .cost = "tracker mprotect opens pages in larger units sooner",
                  .mend = fmt::format("sysctl vm.max_map_count={}", kUsualMappings)};
  std::uint64_t limit = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> limit;
  check.works = limit >= kUsualMappings;
  check.detail = limit == 0 ? "vm.max_map_count cannot be read"
                            : fmt::format("vm.max_map_count is {}", human_count(limit));
  return check;
}

HostCheck check_proc() {
  HostCheck check{.feature = "/proc",
                  .cost = "programs cannot find their own build-id and mappings",
                  .mend = "mount -t proc proc /proc"};
  check.works = ::access("/proc/self/maps", R_OK) == 0;
  check.detail = check.works ? "mounted" : "/proc/self/maps: " + error_text(errno);
  return check;
}

HostCheck check_open_files() {
  constexpr rlim_t kLeast = 3 + runtime::DescriptorTable::kLeastFree;
  const rlim_t limit = limit_of(RLIMIT_NOFILE);
  return {
      .feature = "open files",
      .need = limit < kLeast ? Need::kRequired : Need::kBetter,
      .works = limit >= kFewFiles,
      .detail = limit_text(limit, human_count),
      .cost = limit < kLeast ? "no program can start" : "a program runs out of descriptors early",
      .mend = "ulimit -n 1024"};
}

// The space is a file only for mprotect.
HostCheck check_file_sizes(const std::vector<HostCheck>& trackers) {
  const bool in_a_file = !trackers[0].works && !trackers[1].works;
  const rlim_t limit = limit_of(RLIMIT_FSIZE);
  const bool too_little = in_a_file || limit < kSmallestStore;
  return {.feature = "file sizes",
          .need = too_little ? Need::kRequired : Need::kBetter,
          .works = limit == RLIM_INFINITY,
          .detail = limit_text(limit, human_bytes),
          .cost = too_little ? "no program can start"
                             : "a store cannot grow beyond it, and tracker mprotect cannot start",
          .mend = "ulimit -f unlimited"};
}

HostCheck check_directory(const std::filesystem::path& directory, const ScratchFile& file) {
  HostCheck check{.feature = "directory",
                  .works = file.ok(),
                  .cost = "no store can be made or written there",
                  .mend = "give --store a directory that this user may write to"};
  check.detail = file.ok() ? directory.string() + " can be written"
                           : directory.string() + ": " + error_text(file.error());
  return check;
}

HostCheck check_free_space(const std::filesystem::path& directory) {
  HostCheck check{.feature = "free space",
                  .need = Need::kBetter,
                  .cost = "snapshots stop when it is used up; the program goes on",
                  .mend = "make room, or give --store a directory elsewhere"};
  struct statvfs file_system {};
  if (::statvfs(directory.c_str(), &file_system) != 0) {
    check.detail = directory.string() + ": " + error_text(errno);
    return check;
  }
  const std::uint64_t bytes = std::uint64_t{file_system.f_bavail} * file_system.f_frsize;
  check.works = bytes >= kLittleSpace;
  check.detail = human_bytes(bytes);
  return check;
}

// As a store is locked, in a directory of its own.
HostCheck check_locks(const std::filesystem::path& directory) {
  HostCheck check{.feature = "file locks",
                  .cost = "two programs could write to one store, so that none is let to",
                  .mend = "give --store a directory on a local file system"};
  std::string scratch = directory / kScratchPattern;
  if (::mkdtemp(scratch.data()) == nullptr) {
    check.detail = scratch + ": " + error_text(errno);
    return check;
  }
  {
    const auto lock = store::OwnerLock::take(scratch, directory);
    check.works = lock.ok();
    check.detail = lock.ok() ? "a second owner is refused" : lock.error().message;
  }
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  return check;
}

HostCheck check_sync(const ScratchFile& file) {
  HostCheck check{.feature = "durable writes",
                  .cost = "nothing outlives a power cut",
                  .mend = "give --store a directory on a disk"};
  struct statfs file_system {};
  if (::fstatfs(file.descriptor(), &file_system) == 0 &&
      (file_system.f_type == TMPFS_MAGIC || file_system.f_type == RAMFS_MAGIC)) {
    check.need = Need::kBetter;
    check.detail = "the file system lies in memory";
    return check;
  }
  std::array<char, 4096> block{};
  constexpr int kTimes = 20;
  std::array<double, kTimes> times{};
  for (double& each : times) {
    const auto start = std::chrono::steady_clock::now();
    if (::pwrite(file.descriptor(), block.data(), block.size(), 0) < 0 ||
        ::fdatasync(file.descriptor()) != 0) {
      check.detail = "fdatasync: " + error_text(errno);
      return check;
    }
    each =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  std::ranges::sort(times);
  check.works = true;
  check.detail = fmt::format("4 KiB in {:.2f} ms", times[kTimes / 2]);
  return check;
}

}  // namespace

std::vector<HostCheck> check_host(const std::filesystem::path& directory) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error, as to programs
  std::vector<HostCheck> checks{check_stack()};
  if (!checks.back().works) return checks;  // nor is there room for looking further
  checks.insert(checks.end(), {check_proc(), check_addresses()});
  std::vector<HostCheck> trackers;
  for (const vm::TrackerTrial& trial : vm::try_trackers()) trackers.push_back(of_trial(trial));
  checks.insert(checks.end(), trackers.begin(), trackers.end());
  checks.push_back(check_tracking(trackers));
  checks.push_back(check_mappings());
  checks.push_back(check_threads());
  checks.push_back(check_open_files());
  checks.push_back(check_file_sizes(trackers));
  const ScratchFile file(directory);
  checks.push_back(check_directory(directory, file));
  if (!file.ok()) return checks;
  checks.push_back(check_free_space(directory));
  checks.push_back(check_locks(directory));
  checks.push_back(check_sync(file));
  return checks;
}

bool can_run_programs(const std::vector<HostCheck>& checks) {
  return std::ranges::all_of(
      checks, [](const HostCheck& check) { return check.works || check.need == Need::kBetter; });
}

}  // namespace revenant::cli
