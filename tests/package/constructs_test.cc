// C++ as people write it: each construct, killed in its middle again and again, comes to what it
// comes to in an ordinary process.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "tests/crash/lives.h"
#include "tests/crash/run_to_end.h"
#include "tests/package/outside_programs.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using namespace std::chrono_literals;
using ::testing::PrintToString;

constexpr int kKills = 13;
constexpr crash::LifeBounds kLength{20ms, 120ms};

// For a campaign, REVENANT_KILLS.
int kills() {
  const char* const wanted = std::getenv("REVENANT_KILLS");
  return wanted != nullptr ? std::stoi(wanted) : kKills;
}

// The lines of a last life: "CASE: RESULT" for each case, and "N deaths of CASE".
struct Said {
  std::map<std::string, std::string> results;
  std::map<std::string, unsigned long> deaths;
};

Said read(const std::vector<std::string>& lines) {
  Said said;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(": ");
    const std::size_t deaths = line.find(" deaths of ");
    if (colon != std::string::npos) {
      said.results[line.substr(0, colon)] = line.substr(colon + 2);
    } else if (deaths != std::string::npos) {
      said.deaths[line.substr(deaths + 11)] = std::stoul(line);
    }
  }
  return said;
}

void live_until_killed(const std::vector<std::string>& command, crash::Microseconds length,
                       bool is_first) {
  crash::Child child(command);
  crash::Child* const only = &child;
  // However slow the host is: what no snapshot has cannot be met half-way.
  std::optional<std::string> begun;
  while (is_first && !begun && !child.ended()) {
    crash::Child::wait_any({&only, 1}, crash::Clock::now() + 1s);
    begun = child.take_line();
  }
  const auto until = crash::Clock::now() + length;
  while (!child.ended() && crash::Clock::now() < until) crash::Child::wait_any({&only, 1}, until);
  ASSERT_FALSE(child.ended()) << child.end()->describe() << PrintToString(child.error_lines());
  child.kill();
}

TEST(ConstructsTest, ComeToTheSameWhereverTheyAreKilled) {
  const std::string constructs = outside_program("constructs");
  const crash::Outcome ordinary = crash::run_to_end({constructs, "ordinary"});
  ASSERT_EQ(ordinary.exit_code, 0) << PrintToString(ordinary.errors);
  const Said expected = read(ordinary.output);
  ASSERT_GT(expected.results.size(), 80U);

  const testing::TemporaryDirectory directory;
  std::vector<std::string> command{constructs,         "--store", directory / "s.rev",
                                   "--snapshot-every", "5ms",     "again"};
  crash::LifePlan plan(testing::seed(), kLength, 5ms);
  for (int life = 1; life <= kills(); ++life) {
    ASSERT_NO_FATAL_FAILURE(live_until_killed(command, plan.next().length, life == 1))
        << "in life " << life;
  }
  command.back() = "once";
  const crash::Outcome last = crash::run_to_end(command);
  ASSERT_EQ(last.exit_code, 0) << PrintToString(last.errors);
  const Said said = read(last.output);
  EXPECT_EQ(said.results, expected.results);
  for (const auto& [name, result] : expected.results) {
    EXPECT_GE(said.deaths.at(name), 2U) << name << " was not met half-way";
  }
}

}  // namespace
}  // namespace revenant
