#include "cli/doctor.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/exit_code.h"
#include "cli/host_check_linux.h"
#include "cli/print.h"

namespace revenant::cli {
namespace {

// The nearest directory that exists: a store is made with those above it. Where none can be seen,
// it is the one that trying to write in will say so of.
std::filesystem::path directory_of(const std::filesystem::path& store) {
  std::filesystem::path directory = store.empty() ? "." : store;
  std::error_code ignored;
  while (!std::filesystem::is_directory(directory, ignored)) {
    const std::filesystem::path above = directory.has_parent_path() ? directory.parent_path() : ".";
    if (above == directory || directory == ".") break;
    directory = above;
  }
  return directory;
}

const char* verdict_of(const HostCheck& check) {
  if (check.works) return "works";
  return check.need == HostCheck::Need::kRequired ? "missing" : "lacking";
}

Paint paint_of(const HostCheck& check) {
  if (check.works) return Paint::kNone;
  return check.need == HostCheck::Need::kRequired ? Paint::kRed : Paint::kYellow;
}

void print_json_line(const HostCheck& check) {
  Json json = {{"feature", check.feature},
               {"works", check.works},
               {"required", check.need == HostCheck::Need::kRequired},
               {"detail", check.detail}};
  if (!check.works) {
    json["cost"] = check.cost;
    json["mend"] = check.mend;
  }
  print_json(json);
}

void print_line(const HostCheck& check, bool color) {
  // Padded before it is painted: escape sequences have no width.
  fmt::print("{}  {:<16}  {}\n",
             painted(fmt::format("{:<7}", verdict_of(check)), paint_of(check), color),
             check.feature, printable(check.detail));
  if (!check.works) {
    fmt::print("{:27}costs: {}\n{:27}mend: {}\n", "", check.cost, "", check.mend);
  }
}

}  // namespace

int examine_host(const Context& context) {
  utsname host{};
  ::uname(&host);
  const std::vector<HostCheck> checks = check_host(directory_of(context.store));
  const bool good = can_run_programs(checks);
  if (context.json) {
    for (const HostCheck& check : checks) print_json_line(check);
    print_json({{"kernel", host.release}, {"programs_run", good}});
  } else {
    for (const HostCheck& check : checks) print_line(check, context.color);
    fmt::print("{} {}, {}: {}\n", host.sysname, host.release, host.machine,
               good ? "programs run here" : "programs do not run here");
  }
  return good ? base::kWell : base::kUnsupportedHost;
}

}  // namespace revenant::cli
