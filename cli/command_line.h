// The tool's command line: its verbs and flags, and what each of them calls. The manual page and
// the shells' completions are made from the same parser (manual.h, completion.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/log.h"
#include "cli/verb.h"
#include "runtime/cli11_fwd.h"

namespace revenant::cli {

// The group of the verbs that are refused: nothing that lists verbs lists them.
inline constexpr const char* kUnavailable = "Not available in this version";

// The parser, and the verb that it found on the command line.
class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  int run(int argc, char** argv);
  [[nodiscard]] const CLI::App& parser() const { return *parser_; }

 private:
  using Verb = std::function<int(const Context&)>;

  struct Flags {
    std::string store;
    std::string color = "auto";
    bool json = false;
    std::string revision = "latest";
    LogRequest log;
    bool graph = false;
    bool stat = false;
    bool backtraces = false;
    bool all = false;
    std::string watch;
  };

  CLI::App& add_verb(const char* name, const char* description, const Verb& verb);
  void add_revision(CLI::App& verb);
  void add_log();
  void add_show();
  void add_threads();
  void add_roots();
  void add_verify();
  void add_status();
  void add_doctor();
  void add_unavailable(const char* name);
  int refuse(const CLI::ParseError& error) const;
  int run_chosen();

  std::unique_ptr<CLI::App> parser_;
  Flags flags_;
  Verb chosen_;
  std::optional<base::Error> refusal_;
};

}  // namespace revenant::cli
