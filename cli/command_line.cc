#include "cli/command_line.h"

#include <array>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/doctor.h"
#include "cli/exit_code.h"
#include "cli/log.h"
#include "cli/maintain.h"
#include "cli/objects.h"
#include "cli/print.h"
#include "cli/status.h"
#include "cli/threads.h"

namespace revenant::cli {
namespace {

// The verbs of the tool's contract that this version refuses.
constexpr std::array kUnavailableVerbs = {
    "diff",     "objects", "read", "modified", "prune", "compact", "branch",   "tag",
    "rollback", "send",    "recv", "export",   "debug", "top",     "snapshot", "serve"};

base::Error unavailable(const std::string& what, const std::string& instead) {
  return {base::ErrorCode::kUsage, what + " is not available in this version; " + instead};
}

}  // namespace

CommandLine::CommandLine()
    : parser_(
          std::make_unique<CLI::App>("Looks into the stores of programs that go on.", "revenant")) {
  parser_->require_subcommand(1);
  parser_->set_version_flag("--version", "revenant " REVENANT_VERSION);
  add_log();
  add_show();
  add_threads();
  add_roots();
  add_verify();
  add_status();
  add_doctor();
  for (const char* name : kUnavailableVerbs) add_unavailable(name);
}

CLI::App& CommandLine::add_verb(const char* name, const char* description, const Verb& verb) {
  CLI::App& added = *parser_->add_subcommand(name, description);
  added.add_option("-s,--store", flags_.store, "the store's directory")
      ->envname("REVENANT_STORE")
      ->type_name("DIR");
  added.add_flag("--json", flags_.json, "one JSON object a line");
  added.add_option("--color", flags_.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  added.callback([this, verb] { chosen_ = verb; });
  return added;
}

void CommandLine::add_revision(CLI::App& verb) {
  verb.add_option("REV", flags_.revision,
                  "a number, latest, latest~3, @10m, a branch or a tag (default: latest)")
      ->type_name("");
}

void CommandLine::add_log() {
  CLI::App& verb = add_verb("log", "lists snapshots, newest first", [this](const Context& context) {
    return log_snapshots(context, flags_.log);
  });
  verb.add_option("-n", flags_.log.most, "at most so many")
      ->check(CLI::Validator(
          [](std::string& text) {
            const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
            return digits ? std::string() : '`' + text + "` is no number of snapshots";
          },
          ""))
      ->type_name("N");
  verb.add_option("--since", flags_.log.since, "none older than this, as 10m")->type_name("D");
  verb.add_flag("--graph", flags_.graph, "draw branches (not available in this version)");
}

void CommandLine::add_show() {
  CLI::App& verb = add_verb("show", "describes one snapshot", [this](const Context& context) {
    return show_snapshot(context, {flags_.revision, flags_.stat});
  });
  add_revision(verb);
  verb.add_flag("--stat", flags_.stat, "also what it wrote, by kind of memory");
}

void CommandLine::add_threads() {
  CLI::App& verb = add_verb("threads", "lists green threads", [this](const Context& context) {
    return list_threads(context, flags_.revision);
  });
  add_revision(verb);
  verb.add_flag("--bt", flags_.backtraces, "with backtraces (not available in this version)");
}

void CommandLine::add_roots() {
  CLI::App& verb = add_verb("roots", "lists named objects", [this](const Context& context) {
    return list_roots(context, flags_.revision);
  });
  add_revision(verb);
}

void CommandLine::add_verify() {
  CLI::App& verb = add_verb("verify", "reads and checks every node and page of a snapshot",
                            [this](const Context& context) {
                              return verify_store(context, {flags_.revision, flags_.all});
                            });
  add_revision(verb);
  verb.add_flag("--all", flags_.all, "of all snapshots");
}

void CommandLine::add_status() {
  CLI::App& verb =
      add_verb("status", "a running program's figures, live",
               [this](const Context& context) { return show_status(context, flags_.watch); });
  verb.add_flag("--watch", flags_.watch, "again each second, or as often as --watch=D says");
}

void CommandLine::add_doctor() {
  add_verb("doctor", "what this host offers, what it lacks, what that costs, how to mend it",
           examine_host);
}

void CommandLine::add_unavailable(const char* name) {
  CLI::App& verb = *parser_->add_subcommand(name, "(not available in this version)");
  verb.prefix_command();  // whatever its arguments are
  verb.group(kUnavailable);
  verb.callback([this, name] {
    refusal_ = unavailable("`revenant " + std::string(name) + "`",
                           "`revenant --help` lists the verbs that are");
  });
}

CommandLine::~CommandLine() = default;

int CommandLine::run(int argc, char** argv) {
  try {
    parser_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? parser_->exit(error) : refuse(error);
  }
  return run_chosen();
}

int CommandLine::refuse(const CLI::ParseError& error) const {
  const auto chosen = parser_->get_subcommands();
  if (!chosen.empty()) {
    return fail({base::ErrorCode::kUsage, std::string(error.what()) + "; `revenant " +
                                              chosen.front()->get_name() +
                                              " --help` lists what it takes"});
  }
  std::string verbs;
  for (const CLI::App* verb : parser_->get_subcommands(nullptr)) {
    if (verb->get_group() == kUnavailable) continue;
    verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
  }
  const std::vector<std::string> unknown = parser_->remaining();
  return fail({base::ErrorCode::kUsage,
               (unknown.empty() ? "no verb is given" : '`' + unknown.front() + "` is no verb") +
                   "; the verbs are " + verbs + ", and `revenant --help` describes them"});
}

int CommandLine::run_chosen() {
  if (flags_.graph) refusal_ = unavailable("`log --graph`", "`log` names each snapshot's branch");
  if (flags_.backtraces) refusal_ = unavailable("`threads --bt`", "`threads` lists them without");
  if (refusal_) return fail(*refusal_);
  const bool needs_store = !parser_->got_subcommand("doctor");
  if (needs_store && flags_.store.empty()) {
    return fail({base::ErrorCode::kUsage, "no store is named; give -s DIR, or set REVENANT_STORE"});
  }
  const Context context{flags_.store, flags_.json, wants_color(flags_.color)};
  return in_child(needs_store ? context.store : "", [&] { return chosen_(context); });
}

}  // namespace revenant::cli
