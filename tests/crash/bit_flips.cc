// bit_flips: flips single bits in what data.mdb uses, in copies of the store of a ledger that was
// killed, and judges what the tool and the ledger make of each (flip_judge.h).
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include <CLI/CLI.hpp>

#include "base/check.h"
#include "store/format.h"
#include "store/lmdb_layout.h"
#include "tests/crash/flip_judge.h"
#include "tests/store/data_file.h"
#include "tests/support/temporary_directory.h"

namespace revenant::crash {
namespace {

using namespace std::chrono_literals;

struct Flags {
  int flips = 100;
  std::optional<std::uint64_t> seed;
};

struct Range {
  std::uint64_t from;
  std::uint64_t to;
};

// The bytes of data.mdb that something may read, by what they are.
struct UsedBytes {
  std::vector<Range> metas;
  std::vector<Range> trees;
  std::vector<Range> values;
};

UsedBytes used_bytes(const std::filesystem::path& whole) {
  using namespace store;
  const DataFile data(whole);
  const auto verdict = data.check(StructureExtent::kPages);
  REVENANT_CHECK(verdict.checked && !verdict.finding, "the store is not whole to begin with");
  UsedBytes used;
  for (std::uint64_t page = 0; page < 2; ++page) {
    used.metas.push_back({page * kLmdbPageSize, page * kLmdbPageSize + kSealedMetaSize});
    used.metas.push_back({page * kLmdbPageSize + kMetaSealAt,
                          page * kLmdbPageSize + kMetaSealAt + sizeof(MetaSealBytes)});
  }
  for (std::uint64_t page = 2; page < verdict.used.size(); ++page) {
    if (!verdict.used[page]) continue;
    const auto at = page * kLmdbPageSize;
    const auto header = data.read<LmdbPageHeader>(at);
    if (header.flags == kLmdbBranch || header.flags == kLmdbLeaf) {
      used.trees.push_back({at, at + header.lower});
      used.trees.push_back({at + header.upper, at + kLmdbPageSize});
    } else {
      used.values.push_back({at, at + kLmdbPageSize});
    }
  }
  return used;
}

// Half of the flips hit tree pages, which are few and lead to everything; a tenth the metas.
std::uint64_t draw_bit(const UsedBytes& used, std::mt19937_64& random) {
  const std::uint64_t kind = random() % 10;
  const auto& ranges = kind == 0 ? used.metas : kind <= 5 ? used.trees : used.values;
  std::uint64_t bytes = 0;
  for (const Range& range : ranges) bytes += range.to - range.from;
  std::uint64_t at = random() % bytes;
  for (const Range& range : ranges) {
    if (at < range.to - range.from) return (range.from + at) * 8 + random() % 8;
    at -= range.to - range.from;
  }
  REVENANT_CHECK(false, "the ranges are shorter than their sum");
  std::abort();
}

// A ledger with some history, killed, resumed and killed again.
void make_store(const std::filesystem::path& store) {
  for (int life = 0; life < 2; ++life) {
    Child child({LEDGER, "--store", store, "--snapshot-every", "2ms"});
    Child* const only = &child;
    for (int synced = 0; synced < 60 && !child.ended();) {
      Child::wait_any({&only, 1}, Clock::now() + 1s);
      while (const auto line = child.take_line()) synced += line->starts_with("synced") ? 1 : 0;
    }
    REVENANT_CHECK(!child.ended(), "the ledger ended by itself");
    child.kill();
  }
}

int run(const Flags& flags) {
  const std::uint64_t seed = flags.seed.value_or(std::random_device{}());
  fmt::print(stderr, "seed {}\n", seed);
  std::mt19937_64 random(seed);
  const testing::TemporaryDirectory scratch;
  const auto whole = scratch / "whole";
  const auto damaged = scratch / "damaged";
  make_store(whole);
  const UsedBytes used = used_bytes(whole);
  FlipJudge judge(REVENANT_TOOL, LEDGER, whole);
  int found = 0;
  int violations = 0;
  for (int i = 0; i < flags.flips; ++i) {
    const std::uint64_t bit = draw_bit(used, random);
    std::filesystem::remove_all(damaged);
    std::filesystem::copy(whole, damaged);
    flip(damaged / "data.mdb", bit);
    const FlipVerdict verdict = judge.judge(damaged, bit);
    if (verdict.outcome == FlipOutcome::kFound) ++found;
    if (!verdict.violation) continue;
    ++violations;
    fmt::print("page {}, byte {}, bit {}: {}\n", bit / 8 / 4096, bit / 8 % 4096, bit % 8,
               *verdict.violation);
  }
  fmt::print("{} flips: {} found, {} harmless, {} violations\n", flags.flips, found,
             flags.flips - found, violations);
  return violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace revenant::crash

int main(int argc, char** argv) {
  CLI::App parser("Flips single bits in the used bytes of a store, and judges what becomes of it.",
                  "bit_flips");
  revenant::crash::Flags flags;
  parser.add_option("--flips", flags.flips, "how many, each in a store of its own");
  parser.add_option("--seed", flags.seed, "draw the same bits again (of a store like this one)");
  CLI11_PARSE(parser, argc, argv);
  return revenant::crash::run(flags);
}
