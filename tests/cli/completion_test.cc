// What is made from the command lines' definitions: shells complete by it, and the manual pages
// leave nothing out.
#include "cli/completion.h"

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "cli/command_line.h"
#include "cli/command_words.h"
#include "cli/manual.h"
#include "runtime/options.h"
#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CompletionTest : public ::testing::Test {
 protected:
  // What a real bash offers when the cursor is behind the last of `words`.
  std::vector<std::string> offered(const std::string& words) const {
    std::ofstream(directory_ / "revenant") << bash_completion(CommandLine().parser());
    const std::string script = "source " + (directory_ / "revenant").string() +
                               "; COMP_WORDS=(revenant " + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _revenant; "
                               "printf '%s\\n' \"${COMPREPLY[@]}\"";
    const crash::Outcome outcome = crash::run_to_end({"/bin/bash", "-c", script});
    EXPECT_TRUE(outcome.errors.empty()) << ::testing::PrintToString(outcome.errors);
    return outcome.output;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(CompletionTest, BashOffersVerbsFlagsAndValues) {
  EXPECT_THAT(offered("veri"), ElementsAre("verify"));
  EXPECT_THAT(offered("log --js"), ElementsAre("--json"));
  EXPECT_THAT(offered("log --color a"), ElementsAre("auto", "always"));
  EXPECT_THAT(offered("log -s /us"), ElementsAre("/usr"));
  std::filesystem::create_directories(directory_ / "two words" / "more");
  const std::string in_it = (directory_ / "two").string();
  EXPECT_THAT(offered("log -s " + in_it), ElementsAre(in_it + " words"));
  EXPECT_THAT(offered("log -n ''"), ElementsAre(""));
  EXPECT_THAT(offered("show --stat --js"), ElementsAre("--json"));
}

TEST_F(CompletionTest, EveryShellIsToldOfEveryVerbAndFlag) {
  const CommandLine command_line;
  const CLI::App& parser = command_line.parser();
  const std::string fish = fish_completion(parser);
  const std::string zsh = zsh_completion(parser);
  const std::string manual = manual_of_tool(parser);
  for (const VerbWords& verb : verbs_of(parser)) {
    EXPECT_THAT(fish, HasSubstr("-a " + verb.name + " -d"));
    EXPECT_THAT(zsh, HasSubstr("    " + verb.name + ") _arguments"));
    EXPECT_THAT(manual, HasSubstr(".SS revenant " + verb.name));
    EXPECT_GE(verb.flags.size(), 4);
  }
  EXPECT_THAT(manual, HasSubstr("\\fB\\-s\\fR, \\fB\\-\\-store\\fR \\fIDIR\\fR"));
}

TEST(ManualTest, OfProgramsNamesFlagsWithTheirVariables) {
  std::string manual;
  runtime::with_program_flags([&](const CLI::App& flags) { manual = manual_of_programs(flags); });
  EXPECT_THAT(manual, HasSubstr("\\fB\\-\\-tracker\\fR \\fIKIND\\fR"));
  EXPECT_THAT(manual, HasSubstr("\\fBREVENANT_STORE\\fR"));
  EXPECT_THAT(manual, Not(HasSubstr("\\fITEXT\\fR")));
}

}  // namespace
}  // namespace revenant::cli
