#include "cli/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

#include "base/duration.h"
#include "cli/exit_code.h"
#include "cli/live_program_linux.h"
#include "cli/print.h"
#include "cli/revision.h"
#include "cli/status_print.h"
#include "store/identity.h"

namespace revenant::cli {
namespace {

using base::Result;
using std::chrono::nanoseconds;

// Nothing for once.
Result<std::optional<nanoseconds>> pause_of(const std::string& watch) {
  if (watch.empty()) return std::optional<nanoseconds>();
  if (watch == "true") return std::optional<nanoseconds>(std::chrono::seconds(1));
  REVENANT_ASSIGN(const nanoseconds pause, base::parse_duration(watch));
  if (pause.count() > 0) return std::optional<nanoseconds>(pause);
  return base::Error{base::ErrorCode::kUsage,
                     "--watch=" + watch + " would not pause; give a length of time, as 200ms"};
}

int say_nobody(const Context& context, const store::Identity& identity) {
  const bool started = identity.generation != 0;
  if (context.json) {
    print_json({{"store", context.store.string()},
                {"running", false},
                {"program", identity.program},
                {"generation", identity.generation}});
  } else {
    fmt::print("nobody runs the store {}: {} {}\n", context.store.string(),
               printable(identity.program),
               started ? fmt::format("was started {} and has ended or was killed",
                                     counted(identity.generation, "time"))
                       : "has not been started yet");
  }
  return base::kFindings;
}

void begin_picture(bool first) {
  if (::isatty(STDOUT_FILENO) == 1) {
    fmt::print("\x1b[H\x1b[2J");
  } else if (!first) {
    fmt::print("\n");
  }
}

Result<int> show(const Context& context, std::optional<nanoseconds> pause) {
  std::optional<Sample> before;
  for (;;) {
    // Found anew each time: another process may have taken the store over.
    REVENANT_ASSIGN(const store::Identity identity, store::read_identity(context.store));
    REVENANT_ASSIGN(const auto program, LiveProgram::find(context.store, identity.id));
    if (!program) return say_nobody(context, identity);
    Sample sample = take_sample(*program);
    const Sample* since = before && before->process == sample.process ? &*before : nullptr;
    if (context.json) {
      print_json(status_json(context.store, sample, since));
    } else {
      if (pause) begin_picture(!before.has_value());
      print_status(context, sample, since);
    }
    if (!pause) return base::kWell;
    std::fflush(stdout);
    before = std::move(sample);
    std::this_thread::sleep_for(*pause);
  }
}

}  // namespace

int show_status(const Context& context, const std::string& watch) {
  const auto pause = pause_of(watch);
  if (!pause) return fail(pause.error());
  const auto code = show(context, *pause);
  return code ? *code : fail(code.error());
}

}  // namespace revenant::cli
