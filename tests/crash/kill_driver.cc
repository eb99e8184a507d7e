// kill_driver: kills a program at random instants, restarts it and judges its output (campaign.h).
//
//   kill_driver --app graph --kills 50 --memory 64M -- --scale 20
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "apps/flags.h"
#include "base/duration.h"
#include "tests/crash/campaign.h"
#include "tests/crash/report.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant::crash {
namespace {

constexpr const char* kNoTool = "none";

struct Flags {
  std::string app;
  std::vector<std::string> app_arguments;
  std::vector<std::string> more_arguments;
  std::string oracle;
  std::string store;
  std::string tool;
  std::string tracker;
  std::string memory;
  std::string lives;
  std::string cadence;
  std::string first_life;
  int kills = 100;
  std::optional<std::uint64_t> seed;
  int watchdog_s = 60;
  bool json = false;
};

Microseconds duration_of(const std::string& text) {
  auto parsed = base::parse_duration(text);
  if (!parsed) throw CLI::ValidationError(parsed.error().message);
  return std::chrono::duration_cast<Microseconds>(*parsed);
}

LifeBounds bounds_of(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) throw CLI::ValidationError("--lives wants MIN:MAX, as 1ms:2s");
  const LifeBounds bounds{duration_of(text.substr(0, colon)), duration_of(text.substr(colon + 1))};
  if (bounds.shortest > bounds.longest) {
    throw CLI::ValidationError("--lives wants the shorter one first, as 1ms:2s");
  }
  return bounds;
}

// A name means the app of this build; the tool is that of this build unless another is given.
std::filesystem::path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return std::filesystem::absolute(name);
  return std::filesystem::path(REVENANT_APPS_DIR) / name;
}

std::uint64_t choose_seed(const Flags& flags) {
  if (flags.seed) return *flags.seed;
  if (const char* given = std::getenv("REVENANT_SEED")) return std::strtoull(given, nullptr, 0);
  return std::random_device{}();
}

CampaignOptions options_of(const Flags& flags, const std::filesystem::path& scratch) {
  CampaignOptions options;
  options.program = find_program(flags.app);
  options.program_arguments = flags.app_arguments;
  options.program_arguments.insert(options.program_arguments.end(), flags.more_arguments.begin(),
                                   flags.more_arguments.end());
  options.oracle = flags.oracle.empty() ? options.program.filename().string() : flags.oracle;
  options.store = flags.store.empty() ? scratch / "store" : std::filesystem::absolute(flags.store);
  if (::access(flags.tool.c_str(), X_OK) == 0) {
    options.tool = flags.tool;
  } else if (flags.tool != kNoTool && flags.tool != REVENANT_TOOL) {
    throw std::runtime_error("the tool " + flags.tool + " cannot be run (" + std::strerror(errno) +
                             "); give --tool the path of a `revenant`, or none");
  }
  options.tracker = flags.tracker;
  if (!flags.memory.empty()) options.memory_bytes = flags::size("--memory", flags.memory);
  options.kills = flags.kills;
  options.seed = choose_seed(flags);
  if (!flags.lives.empty()) options.bounds = bounds_of(flags.lives);
  if (!flags.cadence.empty()) options.cadence = duration_of(flags.cadence);
  if (!flags.first_life.empty()) options.first_life = duration_of(flags.first_life);
  options.watchdog = std::chrono::seconds(flags.watchdog_s);
  return options;
}

// The app alone, on a store of its own, without a budget, to its end.
std::vector<std::string> unkilled_run(const CampaignOptions& options) {
  const testing::TemporaryDirectory directory;
  std::vector<std::string> command = {options.program, "--store", directory / "store",
                                      "--snapshot-every", "1s"};
  command.insert(command.end(), options.program_arguments.begin(), options.program_arguments.end());
  const Outcome outcome = run_to_end(command);
  if (outcome.exit_code == 0 && !outcome.output.empty()) return outcome.output;
  throw std::runtime_error(options.program.string() + " without a kill ended with exit code " +
                           std::to_string(outcome.exit_code) + ": " +
                           (outcome.errors.empty() ? "it said nothing" : outcome.errors.back()));
}

void add_flags(CLI::App& parser, Flags& flags) {
  parser.add_option("--app", flags.app, "an app of this build, or a path")->required();
  parser.add_option("--app-arg", flags.app_arguments, "an argument for the app (repeat for more)");
  parser.add_option("arguments", flags.more_arguments, "arguments for the app, after --");
  parser.add_option("--oracle", flags.oracle,
                    "counter, graph, ledger, life or pagewalk (default: the app's name)");
  parser.add_option("--kills", flags.kills, "how many lives to end")->check(CLI::PositiveNumber);
  parser.add_option("--seed", flags.seed, "replay this campaign (else REVENANT_SEED, else random)");
  parser.add_option("--store", flags.store, "the store's directory, removed first");
  parser.add_option("--tool", flags.tool, "the revenant tool to verify with, or none");
  parser.add_option("--tracker", flags.tracker, "passed on to the app");
  parser.add_option("--memory", flags.memory,
                    "passed on to the app, but for the unkilled run that graph is compared with");
  parser.add_option("--lives", flags.lives, "MIN:MAX, as 1ms:2s");
  parser.add_option("--cadence", flags.cadence, "one snapshot cadence for all lives");
  parser.add_option("--first-life", flags.first_life, "how long the first life lasts, as 10m");
  parser.add_option("--watchdog", flags.watchdog_s, "seconds after which a proof has failed");
  parser.add_flag("--json", flags.json, "print the summary as one JSON object");
}

int run(const Flags& flags) {
  testing::TemporaryDirectory scratch;
  CampaignOptions options = options_of(flags, scratch.path());
  if (::access(options.program.c_str(), X_OK) != 0) {
    fmt::print(stderr, "kill_driver: {} cannot be run; build it, or give --app a path\n",
               options.program.string());
    return 2;
  }
  fmt::print(stderr, "seed {}\n", options.seed);
  if (options.oracle == "graph") options.unkilled = unkilled_run(options);
  Campaign campaign(options);
  if (::isatty(STDERR_FILENO) == 1) {
    campaign.on_progress = [&](int lived) {
      fmt::print(stderr, "\r{} of {} lives ", lived, options.kills);
      if (lived == options.kills) fmt::print(stderr, "\n");
    };
  }
  const auto violation = campaign.run();
  const auto report = flags.json ? json_report : text_report;
  fmt::print("{}", report(options, campaign.figures(), violation));
  if (violation && flags.store.empty()) scratch.keep();
  return violation ? 1 : 0;
}

}  // namespace
}  // namespace revenant::crash

int main(int argc, char** argv) {
  CLI::App parser("Kills a program at random instants, restarts it, and judges what it says.",
                  "kill_driver");
  revenant::crash::Flags flags;
  flags.tool = REVENANT_TOOL;
  revenant::crash::add_flags(parser, flags);
  try {
    parser.parse(argc, argv);
    return revenant::crash::run(flags);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "kill_driver: {}\n", error.what());
    return 2;
  }
}
