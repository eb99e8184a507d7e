// run, args and the program's end.

#include "revenant/run.h"

#include <cstring>
#include <memory>

#include "base/exit_code.h"
#include "revenant/durability.h"
#include "runtime/api_support.h"
#include "runtime/host/log.h"
#include "runtime/restart_hooks.h"
#include "runtime/threads/runtime_state.h"

namespace revenant {

using runtime::Machine;
using runtime::RunOptions;
using runtime::RuntimeState;

namespace {

base::Error not_offered(const char* field) {
  return {base::ErrorCode::kUsage,
          std::string("options::") + field +
              " is not available in this version; leave it at its default"};
}

base::Result<RunOptions> to_run_options(const options& chosen) {
  if (chosen.workers != 1) return not_offered("workers");
  if (chosen.branch != "main") return not_offered("branch");
  if (!chosen.from.empty()) return not_offered("from");
  if (!chosen.keep.empty()) return not_offered("keep");
  if (!chosen.preempt.empty() && chosen.preempt != "off") return not_offered("preempt");
  if (!chosen.key.empty()) return not_offered("key");
  RunOptions options;
  options.program = program_invocation_short_name;
  options.store =
      chosen.store.empty() ? std::filesystem::path(options.program + ".rev") : chosen.store;
  options.snapshot_every = chosen.snapshot_every;
  options.pause_target = chosen.pause_target;
  options.memory_bytes = chosen.memory;
  options.stack_bytes = chosen.stack_size;
  REVENANT_ASSIGN(options.tracker, vm::parse_tracker(chosen.tracker));
  options.upgrade = chosen.upgrade;
  options.check_volatile = chosen.check_volatile;
  REVENANT_TRY(runtime::check_options(options));
  return options;
}

int run_with(const RunOptions& options, const detail::main_function& main) {
  return Machine::instance().run(options, main);
}

int refuse(const base::Error& error) {
  runtime::set_log_name(program_invocation_short_name);
  runtime::log_line("%s", error.message.c_str());
  return base::exit_code_of(error.code);
}

}  // namespace

namespace detail {

int run_program(int argc, char** argv, const main_function& main) {
  if (const auto checked = runtime::check_stack_limit(); !checked.ok())
    return refuse(checked.error());
  const auto parsed = runtime::parse_options(argc, argv);
  if (!parsed.ok()) return refuse(parsed.error());
  return parsed->exit_now ? 0 : run_with(parsed->options, main);
}

int run_program(const options& chosen, const main_function& main) {
  if (const auto checked = runtime::check_stack_limit(); !checked.ok())
    return refuse(checked.error());
  const auto converted = to_run_options(chosen);
  if (!converted.ok()) return refuse(converted.error());
  return run_with(*converted, main);
}

// In main's green thread: ends the others, lets what waits for a commit out, and says so.
void finish_program(int exit_code) {
  Machine& machine = Machine::instance();
  runtime::join_other_threads(machine.scheduler());
  while (runtime::has_held_functions(machine)) {
    sync();
    runtime::join_other_threads(machine.scheduler());
  }
  RuntimeState::at_home().end = {.finished = true, .exit_code = exit_code};
  machine.main_thread().post_end(
      {.kind = runtime::MainEvent::Kind::kFinished, .exit_code = exit_code});
}

void on_restart(std::unique_ptr<task> function) { runtime::add_restart_hook(std::move(function)); }

}  // namespace detail

std::vector<std::string_view> args() {
  std::vector<std::string_view> views;
  for (const std::string& argument : Machine::instance().options().arguments) {
    views.push_back(runtime::current_green_thread() == nullptr ? std::string_view(argument)
                                                               : runtime::intern(argument));
  }
  return views;
}

}  // namespace revenant
