#include "cli/manual.h"

#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command_words.h"

namespace revenant::cli {
namespace {

// Text as troff prints it: a hyphen stays one, and no line begins a macro.
std::string troff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\' || c == '-') out += '\\';
    out += c;
  }
  return out;
}

std::string title(const std::string& name, int section) {
  return ".TH " + name + " " + std::to_string(section) +
         " \"\" \"Revenant " REVENANT_VERSION "\" \"Revenant\"\n";
}

std::string joined_names(const FlagWords& flag) {
  std::string names;
  for (const std::string& name : flag.names) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + troff(name) + "\\fR");
  }
  if (!flag.value.empty())
    names += (names.empty() ? "" : " ") + ("\\fI" + troff(flag.value)) + "\\fR";
  return names;
}

std::string listed(const std::vector<FlagWords>& flags) {
  std::string out;
  for (const FlagWords& flag : flags) {
    out += ".TP\n" + joined_names(flag) + "\n" + troff(flag.description);
    if (!flag.environment.empty()) {
      out += "; without it, the environment variable \\fB" + flag.environment + "\\fR";
    }
    out += ".\n";
  }
  return out;
}

constexpr const char* kExitCodes = R"(.SH EXIT STATUS
.TS
r l.
0	well
1	failed
2	wrong usage
3	findings: damage, differences that were asked for, or a store that nobody runs
10	there is no store
11	the store is in use
12	another build of the program wrote it
13	this host lacks something
14	there is no such revision
15	the disk or the map is full
130	interrupted (the tool)
.TE
)";

}  // namespace

std::string manual_of_tool(const CLI::App& parser) {
  std::string out = "'\\\" t\n" + title("REVENANT", 1) +
                    ".SH NAME\nrevenant \\- look into the stores of programs that go on\n"
                    ".SH SYNOPSIS\n\\fBrevenant\\fR \\fIVERB\\fR [\\fIREV\\fR] [\\fIFLAG\\fR...]\n"
                    ".SH DESCRIPTION\n" +
                    troff(parser.get_description()) +
                    " A store is read while its program runs, or after it has died. Results go to "
                    "standard output, progress to standard error when that is a terminal.\n"
                    ".SH VERBS\n";
  for (const VerbWords& verb : verbs_of(parser)) {
    out += ".SS revenant " + troff(verb.name);
    for (const FlagWords& flag : verb.flags) {
      if (flag.names.empty()) out += " [" + flag.value + "]";
    }
    out += "\n" + troff(verb.description) + ".\n" + listed(verb.flags);
  }
  return out + ".SH OPTIONS\n" + listed(flags_of(parser)) + kExitCodes +
         ".SH SEE ALSO\n.BR revenant\\-programs (7)\n";
}

std::string manual_of_programs(const CLI::App& parser) {
  return "'\\\" t\n" + title("REVENANT\\-PROGRAMS", 7) +
         ".SH NAME\nrevenant\\-programs \\- programs that go on after SIGKILL, and their flags\n"
         ".SH SYNOPSIS\n\\fIPROGRAM\\fR [\\fIFLAG\\fR...] [\\fIARGUMENT\\fR...]\n"
         ".SH DESCRIPTION\nA program that calls \\fBrevenant::run\\fR keeps its threads, stacks "
         "and "
         "heap in a store. Killed at any instant and started again by the same command, it goes on "
         "from its last snapshot. SIGTERM and SIGINT take a last snapshot and end it with exit "
         "status 0. Arguments that are none of these flags are the program's own.\n"
         ".SH OPTIONS\n" +
         listed(flags_of(parser)) + kExitCodes + ".SH SEE ALSO\n.BR revenant (1)\n";
}

}  // namespace revenant::cli
