#include <cinttypes>
#include <cstdio>

#include "tests/crash/oracle.h"

namespace revenant::crash {
namespace {

class LedgerOracle final : public Oracle {
 public:
  void store_renewed() override { *this = LedgerOracle(); }

  void life_begins() override {
    checked_in_life_ = false;
    synced_in_life_ = 0;
  }

  std::optional<std::string> judge(std::string_view text) override {
    const std::string line(text);
    std::uint64_t number = 0;
    std::uint64_t count = 0;
    int used = 0;
    const auto whole = [&] { return static_cast<std::size_t>(used) == line.size(); };
    if (std::sscanf(line.c_str(), "synced %" SCNu64 " %" SCNu64 "%n", &number, &count, &used) ==
            2 &&
        whole()) {
      return judge_synced(number, count);
    }
    used = 0;
    if (std::sscanf(line.c_str(), "checked %" SCNu64 " %" SCNu64 " ok%n", &number, &count, &used) ==
            2 &&
        whole()) {
      return judge_checked(number, count);
    }
    return "L5: the ledger reports: " + line;
  }

  // The ledger says itself what is durable.
  void revision_seen(std::uint64_t) override {}

  [[nodiscard]] bool has_gone_on() const override {
    return synced_in_life_ >= 2;  // and checked before that: L4
  }

 private:
  std::optional<std::string> judge_synced(std::uint64_t revision, std::uint64_t count) {
    if (revision < revision_ || (revision == revision_ && count != durable_count_)) {
      return "L1: revision " + std::to_string(revision) + " follows " + std::to_string(revision_);
    }
    if (durable_count_ > 0 && synced_in_life_ == 0 && !checked_in_life_) {
      return "L4: it syncs before it has checked what was restored";
    }
    ++synced_in_life_;
    revision_ = revision;
    auto broken = judge_count(count);
    if (!broken) durable_count_ = count;
    return broken;
  }

  std::optional<std::string> judge_checked(std::uint64_t generation, std::uint64_t count) {
    if (checked_in_life_ ? generation != generation_ : generation <= generation_) {
      return "L2: generation " + std::to_string(generation) + " follows " +
             std::to_string(generation_);
    }
    checked_in_life_ = true;
    generation_ = generation;
    return judge_count(count);
  }

  [[nodiscard]] std::optional<std::string> judge_count(std::uint64_t count) const {
    if (count >= durable_count_) return std::nullopt;
    return "L3: " + std::to_string(count) + " transfers, but " + std::to_string(durable_count_) +
           " were synced";
  }

  bool checked_in_life_ = false;
  int synced_in_life_ = 0;
  std::uint64_t revision_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t durable_count_ = 0;
};

}  // namespace

std::unique_ptr<Oracle> make_ledger_oracle() { return std::make_unique<LedgerOracle>(); }

}  // namespace revenant::crash
