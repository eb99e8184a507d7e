#include "tests/crash/campaign.h"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/crash/resident.h"
#include "tests/crash/run_to_end.h"

namespace revenant::crash {
namespace {

using namespace std::chrono_literals;

constexpr int kExitStoreInUse = 11;
constexpr int kExitNoStore = 10;
constexpr std::size_t kKeptOutput = 12;
constexpr int kVerifyEvery = 5;
constexpr Microseconds kOrderlyCadence = 10ms;
constexpr Microseconds kSampleEvery = 20ms;
constexpr std::uint64_t kSlackBytes = std::uint64_t{8} << 20;

}  // namespace

Campaign::Campaign(CampaignOptions options)
    : options_(std::move(options)),
      oracle_(make_oracle(options_.oracle, options_.unkilled)),
      plan_(options_.seed, options_.bounds, options_.cadence) {
  if (oracle_ == nullptr) throw std::invalid_argument("no oracle is named " + options_.oracle);
}

std::optional<Violation> Campaign::run() {
  Life life{};
  Verdict broken;
  int lived = 0;
  while (!broken && lived < options_.kills) {
    life = plan_.next();
    if (lived == 0 && options_.first_life) {
      life = {LifeKind::kLong, *options_.first_life, life.cadence, life.fresh_store};
    }
    broken = live(life);
    ++lived;
    if (!broken && lived % kVerifyEvery == 0) broken = verify_store();
    if (on_progress) on_progress(lived);
  }
  // Twice: the second start resumes what the first one ended in order.
  for (int i = 0; i < 2 && !broken; ++i) broken = end_in_order();
  if (!broken && oracle_->ends()) broken = let_it_end();
  if (!broken) broken = verify_store();
  if (!broken) return std::nullopt;
  return Violation{*broken, lived, life, {last_output_.begin(), last_output_.end()}, last_errors_};
}

Campaign::Verdict Campaign::live(const Life& life) {
  begin_life(life.fresh_store);
  spoke_in_life_ = false;
  const auto begin = Clock::now();
  const bool contested = life.kind == LifeKind::kContest && !oracle_->ends();  // K2
  Verdict broken = contested ? live_contested(life) : live_alone(life);
  figures_.lengths.push_back(std::chrono::duration_cast<Microseconds>(Clock::now() - begin));
  ++figures_.lives[static_cast<std::size_t>(life.kind)];
  if (store_has_ended_) {
    ++figures_.ended_by_itself;
  } else {
    ++figures_.kills;
    if (!spoke_in_life_) ++figures_.before_first_output;
  }
  return broken;
}

Campaign::Verdict Campaign::live_alone(const Life& life) {
  const bool proof = life.kind == LifeKind::kProof;
  const auto begin = Clock::now();
  watches_revisions_ = proof;
  const auto child = start(life.cadence);
  if (auto broken = listen(*child, begin + (proof ? options_.watchdog : life.length), proof)) {
    return broken;
  }
  if (auto broken = kill_and_judge(*child)) return broken;
  if (proof && !store_has_ended_ && !oracle_->has_gone_on()) {  // K3
    return "it hangs: nothing more to show after " + std::to_string(options_.watchdog.count()) +
           " s";
  }
  return std::nullopt;
}

Campaign::Verdict Campaign::live_contested(const Life& life) {
  const auto begin = Clock::now();
  watches_revisions_ = false;
  const auto first = start(life.cadence);
  if (auto broken = listen(*first, begin + life.second_start, false)) return broken;
  const auto second = start(life.cadence);
  const std::array<Child*, 2> both = {first.get(), second.get()};
  const auto any_ended = [&] { return first->ended() || second->ended(); };
  while (!any_ended() && Clock::now() < begin + options_.watchdog) {
    Child::wait_any(both, begin + options_.watchdog);
  }
  if (!any_ended()) {
    for (Child* child : both) child->kill();
    remember(*second);
    return "K2: two processes have the store open at once";
  }
  Child& refused = *(first->ended() ? first : second);
  Child& owner = *(first->ended() ? second : first);
  if (auto broken = judge_refused(refused)) return broken;
  if (auto broken = listen(owner, std::max(Clock::now(), begin + life.length), false)) {
    return broken;
  }
  return kill_and_judge(owner);
}

Campaign::Verdict Campaign::judge_refused(Child& refused) {
  remember(refused);
  const std::size_t sentences = refused.error_lines().size();
  if (refused.end()->exit_code != kExitStoreInUse) {
    return "K2: of two starts at once one ended with " + refused.end()->describe();
  }
  // What it printed before it was refused would have been read by someone as the program's.
  if (auto line = refused.take_line()) return "K2: the refused start printed: " + *line;
  if (sentences != 1) {
    return "K2: the refused start said " + std::to_string(sentences) + " sentences, not one";
  }
  ++figures_.refused_starts;
  return std::nullopt;
}

Campaign::Verdict Campaign::end_in_order() {
  begin_life(false);
  const auto child = start(options_.cadence.value_or(kOrderlyCadence));
  const auto until = Clock::now() + options_.watchdog;
  if (auto broken = listen(*child, until, true)) return broken;
  child->send(SIGTERM);
  Child* const only = child.get();
  while (!child->ended() && Clock::now() < until) Child::wait_any({&only, 1}, until);
  const bool in_time = child->ended();
  child->kill();
  remember(*child);
  if (auto broken = judge_output(*child)) return broken;
  if (!in_time) return "K1: it goes on after SIGTERM";
  if (child->end()->exit_code != 0) return "K1: SIGTERM ended it with " + child->end()->describe();
  return std::nullopt;
}

Campaign::Verdict Campaign::let_it_end() {
  begin_life(false);
  const auto child = start(options_.cadence.value_or(kOrderlyCadence));
  if (auto broken = listen(*child, Clock::now() + options_.watchdog, false)) return broken;
  if (auto broken = kill_and_judge(*child)) return broken;
  if (store_has_ended_) return std::nullopt;
  return "K3: it has not ended by itself after " + std::to_string(options_.watchdog.count()) + " s";
}

Campaign::Verdict Campaign::listen(Child& child, Clock::time_point until, bool until_gone_on) {
  Child* const only = &child;
  while (Clock::now() < until && !(until_gone_on && oracle_->has_gone_on())) {
    const auto next_sample = options_.memory_bytes ? Clock::now() + kSampleEvery : until;
    Child::wait_any({&only, 1}, std::min(until, next_sample));
    auto broken = judge_output(child);
    if (!broken) broken = judge_resident(child);
    if (broken) {
      child.kill();
      remember(child);
      return broken;
    }
    if (child.ended()) {
      remember(child);
      return judge_own_end(child);
    }
  }
  return std::nullopt;
}

Campaign::Verdict Campaign::kill_and_judge(Child& child) {
  child.kill();
  remember(child);
  if (auto broken = judge_output(child)) return broken;
  return child.end()->signal == SIGKILL ? std::nullopt : judge_own_end(child);
}

Campaign::Verdict Campaign::judge_own_end(const Child& child) {
  if (child.end()->exit_code != 0 || !oracle_->complete()) {
    return "K1: it ended by itself with " + child.end()->describe();
  }
  store_has_ended_ = true;
  return std::nullopt;
}

Campaign::Verdict Campaign::judge_output(Child& child) {
  bool spoke = false;
  while (auto line = child.take_line()) {
    last_output_.push_back(*line);
    if (last_output_.size() > kKeptOutput) last_output_.pop_front();
    if (auto broken = oracle_->judge(*line)) return broken;
    spoke = true;
  }
  spoke_in_life_ = spoke_in_life_ || spoke;
  if (spoke && watches_revisions_ && !child.ended()) {
    if (auto revision = latest_revision()) oracle_->revision_seen(*revision);
  }
  return std::nullopt;
}

// Stopped, since pages that move from one mapping to the other would be counted twice.
Campaign::Verdict Campaign::judge_resident(Child& child) {
  if (!options_.memory_bytes || !child.stop()) return std::nullopt;
  const std::uint64_t bytes = resident_bytes(child.pid());
  child.go_on();
  ++figures_.sampled;
  figures_.most_resident_bytes = std::max(figures_.most_resident_bytes, bytes);
  const std::uint64_t most = *options_.memory_bytes + *options_.memory_bytes / 50 + kSlackBytes;
  if (bytes <= most) return std::nullopt;
  return "K5: its pages take " + std::to_string(bytes) + " bytes, and may take " +
         std::to_string(most);
}

std::unique_ptr<Child> Campaign::start(Microseconds cadence) {
  std::vector<std::string> command = {options_.program, "--store", options_.store,
                                      "--snapshot-every", std::to_string(cadence.count()) + "us"};
  if (!options_.tracker.empty()) {
    command.insert(command.end(), {"--tracker", options_.tracker});
  }
  if (options_.memory_bytes) {
    command.insert(command.end(), {"--memory", std::to_string(*options_.memory_bytes)});
  }
  command.insert(command.end(), options_.program_arguments.begin(),
                 options_.program_arguments.end());
  return std::make_unique<Child>(command);
}

std::vector<std::string> Campaign::tool_command(const char* verb) const {
  return {options_.tool, verb, "--store", options_.store, "--json"};
}

std::optional<std::uint64_t> Campaign::latest_revision() {
  if (options_.tool.empty()) return std::nullopt;
  auto command = tool_command("log");
  command.insert(command.end(), {"-n", "1"});
  const Outcome log = run_to_end(command);
  if (log.output.empty()) return std::nullopt;
  return nlohmann::json::parse(log.output[0]).at("revision").get<std::uint64_t>();
}

Campaign::Verdict Campaign::verify_store() {
  if (options_.tool.empty()) return std::nullopt;
  auto command = tool_command("verify");
  command.emplace_back("--all");
  const Outcome verify = run_to_end(command);
  // No store is right where the last lives were too short to make one.
  const bool nothing_to_verify =
      verify.exit_code == kExitNoStore && !std::filesystem::exists(options_.store);
  if (verify.exit_code == 0 || nothing_to_verify) {
    ++figures_.verified;
    return std::nullopt;
  }
  last_errors_.assign(verify.errors.begin(), verify.errors.end());
  last_output_.assign(verify.output.begin(), verify.output.end());
  return "K4: `revenant verify --all` ended with exit code " + std::to_string(verify.exit_code);
}

void Campaign::begin_life(bool fresh_store) {
  if (fresh_store || store_has_ended_) {
    std::filesystem::remove_all(options_.store);
    oracle_->store_renewed();
    ++figures_.fresh_stores;
    store_has_ended_ = false;
  }
  oracle_->life_begins();
}

void Campaign::remember(const Child& child) {
  last_errors_.assign(child.error_lines().begin(), child.error_lines().end());
}

}  // namespace revenant::crash
