// Kills a program over and over and judges what it says after each restart.
//
//   plan -> life: start --> read lines, judge each --> SIGKILL --> read the rest, judge --> ...
//                   \--> ended by itself: a violation        proof: kill once it has gone on
//
// K1  A life ends by the driver's SIGKILL and nothing else; but for the last two, which end by
//     SIGTERM and exit code 0. A program that ends by itself may do so, with exit code 0, once it
//     has shown everything; it begins anew with a new store. Its last life is left alone to end.
// K2  Of two starts at once one exits 11 (store in use), says one sentence on standard error and
//     nothing on standard output; the other is judged as if it were alone. (Not with a program that
//     ends by itself: the second might find it ended.)
// K3  A proof goes on, and a last life ends, within the watchdog's time; nothing else is ever
//     judged by a clock.
// K4  With a tool, `revenant verify --all` finds the whole store well, every snapshot and dead list
//     of it, after every few kills and at the end.
// K5  With a budget, what the program's pages take (resident.h) is never more than that and 2 % and
//     8 MiB, whenever it is stopped to look: with each output, and every 20 ms.
//
// A violation is a value: the sentence and all that is needed to see it again. One thread.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/child.h"
#include "tests/crash/lives.h"
#include "tests/crash/oracle.h"

namespace revenant::crash {

struct CampaignOptions {
  std::filesystem::path program;
  std::vector<std::string> program_arguments;
  std::string oracle;
  // What a run without kills printed, for an oracle that compares with one.
  std::vector<std::string> unkilled;
  std::filesystem::path store;
  // The `revenant` tool; empty if it is not to be used.
  std::filesystem::path tool;
  std::string tracker;
  // The budget of the killed program.
  std::optional<std::uint64_t> memory_bytes;
  int kills = 100;
  std::uint64_t seed = 0;
  std::optional<LifeBounds> bounds;
  std::optional<Microseconds> cadence;
  // The first life lasts so long, before the kills begin in earnest.
  std::optional<Microseconds> first_life;
  std::chrono::seconds watchdog{60};
};

struct Violation {
  std::string sentence;
  int kill_number;
  Life life;
  std::vector<std::string> last_output;
  std::vector<std::string> last_errors;
};

struct CampaignFigures {
  std::array<int, kLifeKinds> lives{};
  int kills = 0;
  int before_first_output = 0;
  int fresh_stores = 0;
  int ended_by_itself = 0;  // before it could be killed
  int refused_starts = 0;
  int verified = 0;
  int sampled = 0;
  std::uint64_t most_resident_bytes = 0;
  std::vector<Microseconds> lengths;
};

class Campaign {
 public:
  explicit Campaign(CampaignOptions options);

  // Called after each life, with how many there were.
  std::function<void(int)> on_progress;

  std::optional<Violation> run();
  [[nodiscard]] const CampaignFigures& figures() const { return figures_; }

 private:
  using Verdict = std::optional<std::string>;

  Verdict live(const Life& life);
  Verdict live_alone(const Life& life);
  Verdict live_contested(const Life& life);
  Verdict end_in_order();
  Verdict let_it_end();
  // Judges what `child` says until `until`, its end, or until it has gone on if that is asked for.
  Verdict listen(Child& child, Clock::time_point until, bool until_gone_on);
  Verdict kill_and_judge(Child& child);
  Verdict judge_own_end(const Child& child);
  Verdict judge_resident(Child& child);
  Verdict judge_output(Child& child);
  Verdict judge_refused(Child& refused);
  Verdict verify_store();

  std::unique_ptr<Child> start(Microseconds cadence);
  [[nodiscard]] std::vector<std::string> tool_command(const char* verb) const;
  std::optional<std::uint64_t> latest_revision();
  void begin_life(bool fresh_store);
  void remember(const Child& child);

  const CampaignOptions options_;
  const std::unique_ptr<Oracle> oracle_;
  LifePlan plan_;
  CampaignFigures figures_;
  bool spoke_in_life_ = false;
  bool store_has_ended_ = false;  // what it holds is a program that ended by itself
  bool watches_revisions_ = false;
  std::deque<std::string> last_output_;
  std::vector<std::string> last_errors_;
};

}  // namespace revenant::crash
