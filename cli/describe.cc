// revenant_describe WHAT: prints a manual page, or what a shell reads to complete the tool's
// commands. Run while the tool is built; it is not installed.
#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string_view>

#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "runtime/options.h"

int main(int argc, char** argv) {
  using namespace revenant;
  const std::map<std::string_view, std::function<std::string(const CLI::App&)>> kinds = {
      {"man", cli::manual_of_tool},
      {"bash", cli::bash_completion},
      {"zsh", cli::zsh_completion},
      {"fish", cli::fish_completion},
  };
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "man-programs") {
    runtime::with_program_flags(
        [](const CLI::App& flags) { std::fputs(cli::manual_of_programs(flags).c_str(), stdout); });
    return 0;
  }
  const auto kind = kinds.find(what);
  if (kind == kinds.end()) {
    fmt::print(stderr, "revenant_describe: name one of man, man-programs, bash, zsh, fish\n");
    return 2;
  }
  std::fputs(kind->second(cli::CommandLine().parser()).c_str(), stdout);
  return 0;
}
