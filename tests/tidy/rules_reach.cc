#include <array>
#include <cstddef>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "tests/tidy/rules.h"

namespace revenant::tidy {
namespace {

// The folders a folder may include from, besides itself. "revenant" stands for include/revenant;
// folders that are not named here (tests, bench) may include from all.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"vm", {"base"}},
    {"store", {"base"}},
    {"objects", {"base", "vm", "revenant"}},
    {"runtime", {"base", "vm", "store", "objects", "revenant"}},
    {"cli", {"base", "vm", "store", "objects", "runtime", "revenant"}},
    {"include", {"revenant"}},
    {"apps", {"revenant"}},
};

const std::set<std::string> kFolders = {"base", "vm",       "store", "objects", "runtime",
                                        "cli",  "revenant", "apps",  "bench",   "tests"};

// The floors of runtime, the lowest first. Those on one floor include nothing from each other.
const std::map<std::string, int> kFloors = {{"runtime/host", 0},      {"runtime/threads", 1},
                                            {"runtime/snapshots", 2}, {"runtime", 3},
                                            {"runtime/calls", 4},     {"runtime/api", 4}};

const std::set<std::string> kRooms = {"base", "vm", "store", "objects", "runtime", "cli"};

// Calls `see` with the line's number, the name, and whether it is quoted, of every include.
template <class See>
void for_each_include(const SourceFile& file, See see) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  for (std::size_t i = 0; i < file.raw.size(); ++i) {
    std::smatch match;
    // The code's view tells whether the line is commented out.
    if (file.code[i].find('#') == std::string::npos) continue;
    if (std::regex_search(file.raw[i], match, kInclude))
      see(i + 1, match[2].str(), match[1] == "\"");
  }
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

void check_include_direction(const SourceFile& file, Findings& findings) {
  const auto may = kMayInclude.find(file.room());
  for_each_include(file, [&](std::size_t line, const std::string& name, bool quoted) {
    const std::size_t slash = name.find('/');
    if (quoted && slash == std::string::npos && kRooms.contains(file.room())) {
      findings.push_back({line, "\"" + name + "\" is named from here; name it from the root"});
    }
    const std::string folder = name.substr(0, slash);
    const std::string from = folder_of(file.path);
    const std::string to = folder_of(name);
    if (kFloors.contains(from) && kFloors.contains(to) && from != to &&
        kFloors.at(to) >= kFloors.at(from)) {
      findings.push_back({line, from + " may not include from " + to +
                                    ": arrows point down only, within runtime as well"});
    }
    if (may == kMayInclude.end() || slash == std::string::npos) return;
    if (!kFolders.contains(folder) || folder == file.room() || may->second.contains(folder)) return;
    findings.push_back(
        {line, file.room() + " may not include from " + folder +
                   ": arrows point down only; move what is needed below, or join the "
                   "two from above"});
  });
}

void check_lmdb_port(const SourceFile& file, Findings& findings) {
  static const std::regex kPort(R"(^(store/lmdb_\w+\.cc|tests/.*|bench/.*)$)");
  if (std::regex_match(file.path, kPort)) return;
  for_each_include(file, [&](std::size_t line, const std::string& name, bool) {
    if (name == "lmdb.h") {
      findings.push_back({line, "lmdb.h is for store/lmdb_*.cc only; call what those offer"});
    }
  });
}

void check_linux_port(const SourceFile& file, Findings& findings) {
  static const std::set<std::string> kHeaders = {"sys/mman.h", "sys/epoll.h", "sys/ioctl.h",
                                                 "signal.h",   "csignal",     "ucontext.h"};
  static const std::regex kCalls(
      R"((^|[^\w.>])(mmap|munmap|mremap|mprotect|madvise|sigaction|sigaltstack|epoll_\w+|ioctl)\s*\()");
  static const std::regex kPort(R"(^(vm|runtime(/\w+)?)/\w+_linux\.(h|cc)$)");
  // base stands below the port, its lock is a futex; the tool, applications and tests above it.
  static const std::set<std::string> kBound = {"vm", "store", "objects", "runtime", "include"};
  if (!kBound.contains(file.room()) || std::regex_match(file.path, kPort)) return;
  for_each_include(file, [&](std::size_t line, const std::string& name, bool) {
    if (kHeaders.contains(name) || name.starts_with("linux/")) {
      findings.push_back({line, name + " is for vm/*_linux.cc and runtime/*_linux.cc only"});
    }
  });
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    std::smatch match;
    if (std::regex_search(file.code[i], match, kCalls)) {
      findings.push_back(
          {i + 1, match[2].str() + " is for vm/*_linux.cc and runtime/*_linux.cc only"});
    }
  }
}

}  // namespace revenant::tidy
