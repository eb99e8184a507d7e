// Another build is refused, and with --upgrade takes over what it can.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UpgradeTest : public ::testing::Test {
 protected:
  // Both builds under one name, as a developer has them.
  crash::Outcome run(const char* build, std::vector<std::string> flags = {}) const {
    const std::filesystem::path program = directory_ / "app";
    std::filesystem::copy_file(build, program, std::filesystem::copy_options::overwrite_existing);
    std::vector<std::string> command{program, "--store", directory_ / "app.rev"};
    command.insert(command.end(), flags.begin(), flags.end());
    return crash::run_to_end(command);
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(UpgradeTest, AnotherBuildIsRefusedWithTheChoices) {
  EXPECT_THAT(run(UPGRADE_1).output,
              ElementsAre("build 1 generation 1 names 0 x 0 shape false sides 1"));
  const crash::Outcome refused = run(UPGRADE_2);
  EXPECT_EQ(refused.exit_code, 12);
  EXPECT_TRUE(refused.output.empty());
  EXPECT_THAT(refused.errors, Contains(HasSubstr("--upgrade")));
}

TEST_F(UpgradeTest, RootsOfKnownLayoutStayAndTheOthersAreNamed) {
  run(UPGRADE_1);
  const crash::Outcome upgraded = run(UPGRADE_2, {"--upgrade"});
  EXPECT_THAT(upgraded.output, ElementsAre("build 2 generation 2 names 1 x 1 shape false sides 2"));
  for (const char* name :
       {"shape", "shapes", "shared", "pointers", "drawing", "handler", "callback"}) {
    EXPECT_THAT(upgraded.errors, Contains(HasSubstr("'" + std::string(name) + "' is dropped")));
  }
  EXPECT_THAT(upgraded.errors, Contains(HasSubstr("the tag `before-upgrade-")));
  // From here on it is the second build's store.
  EXPECT_EQ(run(UPGRADE_1).exit_code, 12);
  EXPECT_THAT(run(UPGRADE_1, {"--upgrade"}).output,
              ElementsAre("build 1 generation 3 names 2 x 3 shape false sides 1"));
}

}  // namespace
}  // namespace revenant
