#include "tests/crash/flip_judge.h"

#include <csignal>
#include <fstream>
#include <regex>

#include "base/check.h"
#include "base/exit_code.h"
#include "store/format.h"
#include "store/lmdb_layout.h"
#include "tests/store/data_file.h"

namespace revenant::crash {
namespace {

using namespace std::chrono_literals;

constexpr auto kWatchdog = 60s;
constexpr int kSyncsOfALife = 3;

const std::vector<std::vector<std::string>>& questions() {
  static const std::vector<std::vector<std::string>> all = {
      {"log", "--json"},
      {"show", "latest", "--json"},
      {"show", "latest~3", "--json"},
      {"threads", "latest", "--json"},
      {"roots", "latest", "--json"},
  };
  return all;
}

std::string without_ages(const std::string& text) {
  static const std::regex age("\"age_ms\":[0-9]+");
  return std::regex_replace(text, age, "");
}

// The number of transfers in "checked GENERATION COUNT ok".
std::string count_in(const std::string& text) {
  std::smatch match;
  static const std::regex checked("checked [0-9]+ ([0-9]+) ok");
  return std::regex_search(text, match, checked) ? match[1].str() : "";
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

void flip(const std::filesystem::path& data, std::uint64_t bit) {
  std::fstream file(data, std::ios::in | std::ios::out | std::ios::binary);
  char byte = 0;
  file.seekg(static_cast<std::streamoff>(bit / 8)).get(byte);
  byte = static_cast<char>(byte ^ (1 << bit % 8));
  file.seekp(static_cast<std::streamoff>(bit / 8)).put(byte);
  REVENANT_CHECK(file.good());
}

FlipJudge::FlipJudge(std::filesystem::path tool, std::filesystem::path ledger,
                     std::filesystem::path whole)
    : tool_(std::move(tool)),
      ledger_(std::move(ledger)),
      whole_data_(store::DataFile(whole).contents()),
      used_(store::DataFile(whole).check(store::StructureExtent::kPages).used) {
  for (const auto& question : questions()) {
    whole_answers_.push_back(ask(question, whole));
    REVENANT_CHECK(whole_answers_.back().exit_code == 0, "%s: %s", joined(question).c_str(),
                   whole_answers_.back().errors.c_str());
  }
  const auto copy = whole.string() + ".checked";
  std::filesystem::copy(whole, copy);
  whole_count_ = count_in(check(copy).text);
  std::filesystem::remove_all(copy);
  REVENANT_CHECK(!whole_count_.empty(), "the whole store's ledger does not check itself");
}

FlipJudge::Answer FlipJudge::run(const std::vector<std::string>& command) const {
  Child child(command);
  Child* const only = &child;
  const auto until = Clock::now() + kWatchdog;
  Answer answer;
  int synced = 0;
  const auto take = [&] {
    while (auto line = child.take_line()) {
      if (line->starts_with("synced") && ++synced == kSyncsOfALife) child.send(SIGTERM);
      answer.text += *line + "\n";
    }
  };
  while (!child.ended() && Clock::now() < until) {
    Child::wait_any({&only, 1}, until);
    take();
  }
  if (!child.ended()) {
    child.kill();
    answer.complaint = "F1: " + joined(command) + " hangs";
    return answer;
  }
  take();
  for (const std::string& line : child.error_lines()) answer.errors += line + "\n";
  answer.exit_code = child.end()->exit_code.value_or(-1);
  // The tool's child may have been ended by a signal, which its parent says.
  const bool crashed =
      answer.exit_code == -1 || answer.errors.find("ended with signal") != std::string::npos;
  const bool documented = answer.exit_code == base::kWell || answer.exit_code == base::kFindings ||
                          answer.exit_code == base::kNoSuchRevision;
  if (crashed || !documented) {
    answer.complaint =
        "F1: " + joined(command) + " ended with " + child.end()->describe() + ": " + answer.errors;
  } else if (answer.exit_code != 0 && answer.errors.empty() && answer.text.empty()) {
    answer.complaint = "F2: " + joined(command) + " says nothing";
  }
  return answer;
}

FlipJudge::Answer FlipJudge::ask(const std::vector<std::string>& question,
                                 const std::filesystem::path& store) const {
  std::vector<std::string> command{tool_};
  command.insert(command.end(), question.begin(), question.end());
  command.insert(command.end(), {"-s", store});
  Answer answer = run(command);
  answer.text = without_ages(answer.text);
  return answer;
}

FlipJudge::Answer FlipJudge::check(const std::filesystem::path& store) const {
  return run({ledger_, "--store", store, "--snapshot-every", "0", "--check"});
}

// Until it has synced a few times.
FlipJudge::Answer FlipJudge::live(const std::filesystem::path& store) const {
  return run({ledger_, "--store", store, "--snapshot-every", "2ms"});
}

FlipJudge::Complaint FlipJudge::judge_answers(const std::filesystem::path& store,
                                              bool found) const {
  for (std::size_t i = 0; i < questions().size(); ++i) {
    const Answer answer = ask(questions()[i], store);
    if (answer.complaint) return answer.complaint;
    const std::string name = joined(questions()[i]);
    if (answer.exit_code != 0 && !found) {
      return "F3: verify finds nothing, and " + name + " refuses: " + answer.errors;
    }
    if (answer.exit_code == 0 && answer.text != whole_answers_[i].text) {
      return "F3: " + name + " answers\n" + answer.text + "instead of\n" + whole_answers_[i].text;
    }
  }
  return std::nullopt;
}

FlipJudge::Complaint FlipJudge::judge_starts(const std::filesystem::path& store, bool found) const {
  const Answer before = check(store);
  if (before.complaint) return before.complaint;
  if (before.exit_code != 0 && !found) return "F4: verify finds nothing, and the ledger does";
  if (before.exit_code == 0 && count_in(before.text) != whole_count_) {
    return "F4: the ledger was restored to " + before.text;
  }
  const Answer life = live(store);
  if (life.complaint) return life.complaint;
  if (life.exit_code != 0 && !found)
    return "F4: verify finds nothing, and a run ends: " + life.errors;
  const Answer after = check(store);
  if (after.complaint) return after.complaint;
  if (after.text.find("violation") != std::string::npos ||
      life.text.find("violation") != std::string::npos) {
    return "F4: the ledger reports: " + life.text + after.text;
  }
  // What a run that ended well has written must be there.
  if (life.exit_code == 0 && before.exit_code == 0 && after.exit_code != 0) {
    return "F4: after a run that ended well: " + after.errors;
  }
  if (life.exit_code == 0 && !found) {
    const Answer verified = ask({"verify", "--all"}, store);
    if (verified.exit_code != 0) return "F4: after a run verify finds " + verified.text;
  }
  return std::nullopt;
}

// F5
FlipJudge::Complaint FlipJudge::judge_pages(const std::filesystem::path& store, std::uint64_t bit,
                                            bool trees_whole) const {
  std::string before = whole_data_;
  before[bit / 8] = static_cast<char>(before[bit / 8] ^ 1 << bit % 8);
  const std::string now = store::DataFile(store).contents();
  const auto same = [&](std::uint64_t from, std::uint64_t size) {
    return now.compare(from, size, before, from, size) == 0;
  };
  for (std::uint64_t page = 0; page < 2; ++page) {
    if (same(page * store::kLmdbPageSize, store::kSealedMetaSize)) continue;
    if (!trees_whole) return "F5: something was committed to trees that are damaged";
    return judge_undone(store, bit);  // pages came free, and were rightly used again
  }
  for (std::uint64_t page = 2; page < used_.size(); ++page) {
    if (!used_[page] || same(page * store::kLmdbPageSize, store::kLmdbPageSize)) continue;
    return "F5: page " + std::to_string(page) + " was written over";
  }
  return std::nullopt;
}

FlipJudge::Complaint FlipJudge::judge_undone(const std::filesystem::path& store,
                                             std::uint64_t bit) const {
  const std::uint64_t page = bit / 8 / store::kLmdbPageSize;
  const auto undone = store.string() + ".undone";
  std::filesystem::copy(store, undone);
  flip(undone + "/data.mdb", bit);
  const store::DataFile data(undone);
  const auto verdict = data.check(store::StructureExtent::kPages);
  const std::uint64_t start = page * store::kLmdbPageSize;
  const bool undoes = page >= 2 && verdict.used.size() > page && verdict.used[page] &&
                      data.contents().compare(start, store::kLmdbPageSize, whole_data_, start,
                                              store::kLmdbPageSize) == 0;
  Complaint complaint;
  if (undoes) {
    const Answer verified = ask({"verify", "--all"}, undone);
    if (verified.exit_code != 0) complaint = "F5: undone, there still is " + verified.text;
  }
  std::filesystem::remove_all(undone);
  return complaint;
}

FlipVerdict FlipJudge::judge(const std::filesystem::path& store, std::uint64_t bit) {
  FlipVerdict verdict;
  const bool trees_whole = !store::DataFile(store).check(store::StructureExtent::kTrees).finding;
  const Answer verified = ask({"verify", "--all"}, store);
  verdict.violation = verified.complaint;
  if (verdict.violation) return verdict;
  const bool found = verified.exit_code != 0;
  verdict.outcome = found ? FlipOutcome::kFound : FlipOutcome::kHarmless;
  verdict.violation = judge_answers(store, found);
  if (!verdict.violation) verdict.violation = judge_starts(store, found);
  if (!verdict.violation) verdict.violation = judge_pages(store, bit, trees_whole);
  return verdict;
}

}  // namespace revenant::crash
