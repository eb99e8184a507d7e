#include "runtime/options.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/duration.h"
#include "runtime/threads/stack_pool.h"

namespace revenant::runtime {
namespace {

// The least memory budget: a few hundred pages, so that what one instruction needs fits.
constexpr std::size_t kLeastMemory = std::size_t{1} << 20;

base::Error usage(std::string message) { return {base::ErrorCode::kUsage, std::move(message)}; }

// The text of each flag, as given.
struct RawOptions {
  std::string store, snapshot_every = "100ms", pause_target = "200us", memory = "0", stack = "256K";
  std::string preempt, branch = "main", from, tracker = "auto", keep, key;
  std::string workers = "1";
  bool upgrade = false, check_volatile = false;
};

void declare_offered(CLI::App& app, RawOptions& raw) {
  app.add_option("--store", raw.store, "the store's directory, made if missing [./PROGRAM.rev]")
      ->envname("REVENANT_STORE")
      ->type_name("DIR");
  app.add_option("--snapshot-every", raw.snapshot_every,
                 "cadence; 0: only on sync() and at the end [100ms]")
      ->envname("REVENANT_SNAPSHOT_EVERY")
      ->type_name("D");
  app.add_option("--pause-target", raw.pause_target,
                 "how long a snapshot may stop the program, as far as the kernel allows [200us]")
      ->type_name("D");
  app.add_option("--memory", raw.memory,
                 "budget of the persistent space in memory, at least 1M; 0: no limit [0]")
      ->envname("REVENANT_MEMORY")
      ->type_name("SIZE");
  app.add_option("--stack", raw.stack, "default stack of a green thread [256K]")->type_name("SIZE");
  app.add_option("--tracker", raw.tracker, "auto, async, sync or mprotect [auto]")
      ->envname("REVENANT_TRACKER")
      ->type_name("KIND");
  app.add_flag("--upgrade", raw.upgrade, "accept a store written by another build");
  app.add_flag("--check-volatile", raw.check_volatile,
               "look for pointers into volatile memory in every snapshot");
}

// Known, so that they are refused by name; --help does not list them.
void declare_unoffered(CLI::App& app, RawOptions& raw) {
  static const std::string kHidden;
  app.add_option("--workers", raw.workers)->envname("REVENANT_WORKERS")->group(kHidden);
  app.add_option("--preempt", raw.preempt)->group(kHidden);
  app.add_option("--branch", raw.branch)->group(kHidden);
  app.add_option("--from", raw.from)->group(kHidden);
  app.add_option("--keep", raw.keep)->group(kHidden);
  app.add_option("--key", raw.key)->group(kHidden);
}

// What the public surface names and this version does not offer is refused, never ignored.
base::Status refuse_unoffered(const RawOptions& raw) {
  const auto refuse = [](std::string_view flag, std::string_view instead) {
    return usage(std::string(flag) + " is not available in this version; " + std::string(instead));
  };
  if (raw.workers != "1") return refuse("--workers other than 1", "leave it out");
  if (!raw.preempt.empty() && raw.preempt != "off") {
    return refuse("--preempt other than off", "call revenant::safepoint() in long loops");
  }
  if (raw.branch != "main") return refuse("--branch other than main", "leave it out");
  if (!raw.from.empty()) return refuse("--from", "leave it out to go on from the newest snapshot");
  if (!raw.keep.empty()) return refuse("--keep", "leave it out to keep the last 64 snapshots");
  if (!raw.key.empty()) return refuse("--key", "leave it out to run an unauthenticated store");
  return {};
}

base::Result<RunOptions> interpret(const RawOptions& raw, std::string program) {
  RunOptions options;
  options.program = std::move(program);
  options.store = raw.store.empty() ? options.program + ".rev" : raw.store;
  REVENANT_ASSIGN(options.snapshot_every, base::parse_duration(raw.snapshot_every));
  REVENANT_ASSIGN(options.pause_target, base::parse_duration(raw.pause_target));
  REVENANT_ASSIGN(options.memory_bytes, parse_size(raw.memory));
  REVENANT_ASSIGN(options.stack_bytes, parse_size(raw.stack));
  REVENANT_ASSIGN(options.tracker, vm::parse_tracker(raw.tracker));
  REVENANT_TRY(check_options(options));
  options.upgrade = raw.upgrade;
  options.check_volatile = raw.check_volatile;
  return options;
}

}  // namespace

base::Status check_options(const RunOptions& options) {
  if (options.memory_bytes != 0 && options.memory_bytes < kLeastMemory) {
    return usage("a memory budget of " + std::to_string(options.memory_bytes) +
                 " bytes is too small; give at least 1M, or 0 for no limit");
  }
  if (options.stack_bytes >= kMinStackBytes && options.stack_bytes <= kMaxStackBytes) return {};
  return usage("a stack of " + std::to_string(options.stack_bytes) +
               " bytes is out of range; give between 16K and 8G");
}

void with_program_flags(const std::function<void(const CLI::App&)>& use) {
  CLI::App app;
  RawOptions raw;
  declare_offered(app, raw);
  use(app);
}

base::Result<ParsedOptions> parse_options(int argc, const char* const* argv) {
  // A program may be started, or run() called, without as much as a name.
  static const char* const kNameless[] = {program_invocation_short_name, nullptr};
  if (argc < 1 || argv == nullptr) return parse_options(1, kNameless);
  const std::string_view path = argv[0];
  std::string program(path.substr(path.rfind('/') + 1));
  CLI::App app("An immortal program: killed at any instant, it goes on from its last snapshot.",
               program);
  app.allow_extras();
  RawOptions raw;
  declare_offered(app, raw);
  declare_unoffered(app, raw);
  ParsedOptions parsed;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    parsed.exit_now = true;
    return parsed;
  } catch (const CLI::ParseError& error) {
    return usage(std::string(error.what()) + "; see --help");
  }
  REVENANT_TRY(refuse_unoffered(raw));
  REVENANT_ASSIGN(parsed.options, interpret(raw, std::move(program)));
  parsed.options.arguments = app.remaining();
  // What ends the flags is none of the arguments.
  auto& arguments = parsed.options.arguments;
  if (const auto end = std::ranges::find(arguments, "--"); end != arguments.end()) {
    arguments.erase(end);
  }
  return parsed;
}

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A non-negative number and a unit of `units`; nothing when it is neither.
template <std::size_t N>
std::optional<double> parse_number(std::string_view text, const std::array<Unit, N>& units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0)) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& known : units) {
    if (unit == known.name) return number * known.factor;
  }
  return std::nullopt;
}

}  // namespace

base::Result<std::size_t> parse_size(const std::string& text) {
  static constexpr std::array<Unit, 5> kUnits{
      {{"", 1}, {"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}}};
  const std::optional<double> bytes = parse_number(text, kUnits);
  if (!bytes.has_value() || *bytes > 0x1p50) {
    return usage("'" + text + "' is no size; give a number of bytes, or one with K, M, G or T");
  }
  return static_cast<std::size_t>(*bytes);
}

base::Status check_stack_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kLeastMainStack) return {};
  return base::Error{base::ErrorCode::kUnsupportedHost,
                     "the limit of its main thread's stack is " +
                         std::to_string(limit.rlim_cur >> 10) +
                         " KiB; raise it to 32 KiB or more (ulimit -s)"};
}

}  // namespace revenant::runtime
