// What becomes of a store of which one bit was flipped, judged against the whole one.
//
// The store is one of the ledger, which knows itself what it must be (oracle.h). A flip is
//   harmless   the tool finds nothing, all its answers are the whole store's, the ledger goes on
//   found      verify exits 3; whatever else is asked gives the whole store's answer or a refusal
//   a violation otherwise:
//
// F1  Nothing ends by a signal, hangs, or exits with a code that is not documented.
// F2  A refusal says a sentence.
// F3  An answer that is given is the right one; what verify passes answers everything.
// F4  The ledger, started on it, ends with its own checks passed or with exit 3, and then nothing
//     was lost: a second start says the same.
// F5  The ledger has written over nothing that was in use. To trees that are damaged it commits
//     nothing: all that was in use is as it was. Where it has committed, the store is whole once
//     the flip is undone.
//
// One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/run_to_end.h"

namespace revenant::crash {

enum class FlipOutcome { kHarmless, kFound };

struct FlipVerdict {
  FlipOutcome outcome = FlipOutcome::kHarmless;
  std::optional<std::string> violation;
};

// Flips `bit` of the file `data`.
void flip(const std::filesystem::path& data, std::uint64_t bit);

class FlipJudge {
 public:
  // `whole` is a store of `ledger` that was killed; it is left as it is.
  FlipJudge(std::filesystem::path tool, std::filesystem::path ledger, std::filesystem::path whole);

  // Judges a store in whose data.mdb `bit` is flipped, and may change it.
  FlipVerdict judge(const std::filesystem::path& store, std::uint64_t bit);

 private:
  using Complaint = std::optional<std::string>;
  struct Answer {
    int exit_code = 0;
    std::string text;  // without what changes with the time
    std::string errors;
    Complaint complaint;  // F1
  };

  [[nodiscard]] Answer ask(const std::vector<std::string>& question,
                           const std::filesystem::path& store) const;
  [[nodiscard]] Answer run(const std::vector<std::string>& command) const;
  [[nodiscard]] Complaint judge_answers(const std::filesystem::path& store, bool found) const;
  [[nodiscard]] Complaint judge_starts(const std::filesystem::path& store, bool found) const;
  [[nodiscard]] Complaint judge_pages(const std::filesystem::path& store, std::uint64_t bit,
                                      bool trees_whole) const;
  [[nodiscard]] Complaint judge_undone(const std::filesystem::path& store, std::uint64_t bit) const;
  [[nodiscard]] Answer check(const std::filesystem::path& store) const;
  [[nodiscard]] Answer live(const std::filesystem::path& store) const;

  const std::filesystem::path tool_;
  const std::filesystem::path ledger_;
  std::vector<Answer> whole_answers_;
  std::string whole_count_;
  const std::string whole_data_;
  const std::vector<bool> used_;  // pages of it
};

}  // namespace revenant::crash
