// What a program's output must look like over all its lives, whatever instant each one ended at.
//
// An oracle reads every line the program wrote, in order, and knows where a new life or a new store
// begins. It judges by what was printed alone: never by how long anything took.
//
// CounterOracle, of `N of M`:
//   C1  M is N + 1: the loop variable and the vector come from the same instant.
//   C2  Within a life N rises by one.
//   C3  A life begins at most one past the greatest N shown, and never below what an earlier life
//       began with: that state was read from the store, so it was durable.
//   C4  Once N was shown and two more revisions were committed, no life begins below N.
//
// LedgerOracle, of `synced REVISION COUNT` and `checked GENERATION COUNT ok`:
//   L1  Revisions of `synced` rise with the counts, over all lives.
//   L2  Generations rise from life to life and stay within one.
//   L3  No count is ever below that of an earlier `synced`: it was durable.
//   L4  A life after a `synced` checks itself before it syncs.
//   L5  Anything else is a violation that the ledger itself reports.
//
// LifeOracle, of `generation N: BOARD` and `redrawn N: BOARD`, with a Life of its own:
//   G1  No generation is shown before the one it follows from.
//   G2  A generation shown for the first time is the successor of the one before.
//   G3  One shown again, in whatever life, is what it was.
//   and of N in `generation N` C2 to C4.
//
// PagewalkOracle, of `walker W lap N: DIGEST`:
//   P1  Anything else is a violation; what is wrong with a page pagewalk finds itself, and ends.
//   P2  A walker's lap shown again, in whatever life, has the digest that it had.
//   and of each walker's N C2 to C4.
//
// GraphOracle, of the lines that a run without kills and without a budget printed, each of them
// another:
//   R1  No other line is printed.
//   and of a line's place among them C2 to C4. It ends by itself, after the last of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace revenant::crash {

class Oracle {
 public:
  virtual ~Oracle() = default;

  virtual void store_renewed() = 0;
  virtual void life_begins() = 0;
  // One line of output; a sentence if it breaks a rule.
  virtual std::optional<std::string> judge(std::string_view line) = 0;
  // This revision was found committed after the last line given to judge() had been read.
  virtual void revision_seen(std::uint64_t revision) = 0;
  // True once this life has shown that the program was restored and goes on.
  [[nodiscard]] virtual bool has_gone_on() const = 0;
  // Whether the program ends by itself, and whether it has shown all that it is to show before.
  [[nodiscard]] virtual bool ends() const { return false; }
  [[nodiscard]] virtual bool complete() const { return false; }
};

// Null for a kind other than "counter", "graph", "ledger", "life" and "pagewalk". `unkilled` is
// what a run without kills printed; only that of graph needs it.
std::unique_ptr<Oracle> make_oracle(std::string_view kind, std::vector<std::string> unkilled = {});

std::unique_ptr<Oracle> make_counter_oracle();
std::unique_ptr<Oracle> make_graph_oracle(std::vector<std::string> unkilled);
std::unique_ptr<Oracle> make_ledger_oracle();
std::unique_ptr<Oracle> make_life_oracle();
std::unique_ptr<Oracle> make_pagewalk_oracle();

}  // namespace revenant::crash
