#include "cli/live_program_linux.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/file_mapping.hpp>

#include "store/files.h"
#include "store/owner_lock.h"

namespace revenant::cli {
namespace {

using base::Result;
using runtime::LiveHeader;
using runtime::LiveStatistics;

struct Found {
  std::filesystem::path file;
  LiveHeader header;
};

std::string owner_of(const std::filesystem::path& store, pid_t process) {
  return "process " + std::to_string(process) + ", which runs the store " + store.string() + ',';
}

base::Error unreadable(const std::filesystem::path& store, pid_t process, int system_error) {
  return {base::ErrorCode::kIoFailed,
          owner_of(store, process) + " may not be looked into: " + std::strerror(system_error) +
              "; call this as the program's user, or as root"};
}

base::Error nothing_shown(const std::filesystem::path& store, pid_t process) {
  return {base::ErrorCode::kIoFailed,
          owner_of(store, process) +
              " shows no figures: it is still starting, or what it said at its start tells why"};
}

base::Error another_version(const std::filesystem::path& store, pid_t process) {
  return {base::ErrorCode::kAnotherFormat,
          owner_of(store, process) +
              " is of another version, whose figures this one cannot read; use the `revenant` that "
              "came with it"};
}

// The header of what `file` shows, if it shows anything.
std::optional<LiveHeader> header_of(const std::filesystem::path& file) {
  LiveHeader header;
  const auto read =
      store::read_start(file, std::as_writable_bytes(std::span<LiveHeader, 1>(&header, 1)));
  if (!read.ok() || *read != sizeof header || header.magic != runtime::kLiveMagic) return {};
  return header;
}

// Among the process's descriptors the one that shows the figures of the store `id`. I1
Result<Found> find_file(const std::filesystem::path& store, pid_t process,
                        const store::StoreId& id) {
  const std::string wanted = std::string("/memfd:") + runtime::kLiveName + " ";
  const std::filesystem::path descriptors = "/proc/" + std::to_string(process) + "/fd";
  std::error_code failed;
  for (std::filesystem::directory_iterator at(descriptors, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code closed;
    const std::string target = std::filesystem::read_symlink(at->path(), closed).string();
    if (!(target + ' ').starts_with(wanted)) continue;
    const std::optional<LiveHeader> header = header_of(at->path());
    if (header && header->version == runtime::kLiveVersion && header->store != id) continue;
    if (header) return Found{at->path(), *header};
  }
  if (failed.value() == EACCES) return unreadable(store, process, failed.value());
  return nothing_shown(store, process);
}

bool is_ours(const Found& found) {
  struct stat file {};
  return found.header.version == runtime::kLiveVersion &&
         found.header.layout == runtime::live_layout() &&
         found.header.bytes == sizeof(LiveStatistics) && ::stat(found.file.c_str(), &file) == 0 &&
         static_cast<std::uint64_t>(file.st_size) == sizeof(LiveStatistics);
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What /proc says of the process after its name, which is in brackets and may hold anything.
std::string stat_of(pid_t process) {
  const std::string stat = text_of("/proc/" + std::to_string(process) + "/stat");
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos ? std::string() : stat.substr(name_end + 2);
}

// Whether its first thread is gone or going. The others of a killed program may take a while, and
// with them its locks; its descriptors are not to be seen any more.
bool is_ending(pid_t process) {
  constexpr std::uint64_t kExiting = 4;  // PF_EXITING of the kernel
  std::istringstream stat(stat_of(process));
  char letter = 0;
  std::int64_t parent = 0, group = 0, session = 0, terminal = 0, foreground = 0;
  std::uint64_t flags = 0;
  if (!(stat >> letter >> parent >> group >> session >> terminal >> foreground >> flags)) {
    return true;
  }
  return letter == 'Z' || letter == 'X' || (flags & kExiting) != 0;
}

// The store's owner. A program that ends gives up its two locks one after the other, and between
// them is one that cannot be named: it is looked for again, for a moment.
Result<store::Ownership> settled_owner(const std::filesystem::path& store) {
  constexpr int kLooks = 100;
  constexpr std::chrono::milliseconds kBetween{1};
  for (int look = 0;; ++look) {
    REVENANT_ASSIGN(const store::Ownership owner, store::find_owner(store));
    if (!owner.owned || owner.process != 0 || look == kLooks) return owner;
    std::this_thread::sleep_for(kBetween);
  }
}

const char* activity_of(char letter) {
  switch (letter) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "waiting for a disk";
    case 'T':
    case 't':
      return "stopped";
    case 'Z':
    case 'X':
      return "ended";
    default:
      return "not to be seen";
  }
}

}  // namespace

Result<LiveProgram> LiveProgram::look_into(const std::filesystem::path& store, pid_t process,
                                           const store::StoreId& id) {
  REVENANT_ASSIGN(const Found found, find_file(store, process, id));
  if (!is_ours(found)) return another_version(store, process);  // I2
  namespace shared = boost::interprocess;
  try {
    const shared::file_mapping file(found.file.c_str(), shared::read_only);
    return LiveProgram(process,
                       shared::mapped_region(file, shared::read_only, 0, sizeof(LiveStatistics)));
  } catch (const shared::interprocess_exception& failed) {
    return unreadable(store, process, failed.get_native_error());
  }
}

Result<std::optional<LiveProgram>> LiveProgram::find(const std::filesystem::path& store,
                                                     const store::StoreId& id) {
  REVENANT_ASSIGN(const store::Ownership owner, settled_owner(store));
  if (!owner.owned) return std::optional<LiveProgram>();
  if (owner.process == 0) {
    return base::Error{base::ErrorCode::kIoFailed,
                       "the program that runs the store " + store.string() +
                           " is not to be seen from here; call this where it runs, as in its "
                           "container"};
  }
  Result<LiveProgram> program = look_into(store, owner.process, id);
  if (program.ok()) return std::optional<LiveProgram>(std::move(*program));
  if (is_ending(owner.process)) return std::optional<LiveProgram>();  // I3
  return program.error();
}

ProcessState LiveProgram::state() const {
  ProcessState state;
  const std::string stat = stat_of(process_);
  state.activity = activity_of(stat.empty() ? '?' : stat[0]);
  std::istringstream status(text_of("/proc/" + std::to_string(process_) + "/status"));
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) state.resident_bytes = kib * 1024;
  }
  return state;
}

}  // namespace revenant::cli
