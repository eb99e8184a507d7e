#include "cli/host_check_linux.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "cli/print.h"
#include "store/owner_lock.h"
#include "vm/space.h"
#include "vm/tracker_trials.h"

namespace revenant::cli {
namespace {

using Need = HostCheck::Need;

constexpr std::uint64_t kUsualMappings = 65530;
constexpr std::uint64_t kLittleSpace = std::uint64_t{256} << 20;
constexpr rlim_t kFewFiles = 256;

std::string error_text(int error) { return std::strerror(error); }

// A file without a name in `directory`, gone when closed; negative errno where there can be none.
class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& directory)
      : path_(directory / ".revenant-doctor-XXXXXX") {
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

HostCheck check_addresses() {
  HostCheck check{.feature = "address space",
                  .cost = "no program can start",
                  .mend = "ulimit -v unlimited; vm.overcommit_memory 0 or 1"};
  const auto space = std::make_unique<vm::Space>();
  const base::Status opened = space->open({}, vm::Backing::kAnonymous);
  check.works = opened.ok();
  check.detail = opened.ok() ? fmt::format("{} GiB at {}", vm::kSpaceSize / vm::kGiB,
                                           hex_address(vm::kSpaceBase))
                             : opened.error().message;
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
  HostCheck check{.feature = "open files",
                  .need = Need::kBetter,
                  .cost = "a program runs out of descriptors early",
                  .mend = "ulimit -n 1024"};
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  check.works = limit.rlim_cur >= kFewFiles;
  check.detail = limit.rlim_cur == RLIM_INFINITY
                     ? "no limit"
                     : fmt::format("at most {}", human_count(limit.rlim_cur));
  return check;
}

HostCheck check_file_sizes() {
  HostCheck check{.feature = "file sizes",
                  .cost = "a store cannot grow, and tracker mprotect cannot start",
                  .mend = "ulimit -f unlimited"};
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  check.works = limit.rlim_cur == RLIM_INFINITY;
  check.detail = check.works ? "no limit" : fmt::format("at most {}", human_bytes(limit.rlim_cur));
  return check;
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
  std::string scratch = directory / ".revenant-doctor-XXXXXX";
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
  std::vector<HostCheck> checks{check_proc(), check_addresses()};
  std::vector<HostCheck> trackers;
  for (const vm::TrackerTrial& trial : vm::try_trackers()) trackers.push_back(of_trial(trial));
  checks.insert(checks.end(), trackers.begin(), trackers.end());
  checks.push_back(check_tracking(trackers));
  checks.push_back(check_mappings());
  checks.push_back(check_open_files());
  checks.push_back(check_file_sizes());
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
