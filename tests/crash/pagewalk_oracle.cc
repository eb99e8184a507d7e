#include <cstdio>
#include <map>
#include <utility>

#include "tests/crash/oracle.h"

namespace revenant::crash {
namespace {

class PagewalkOracle final : public Oracle {
 public:
  void store_renewed() override {
    laps_.clear();
    digests_.clear();
  }
  void life_begins() override {
    for (auto& [walker, laps] : laps_) laps->life_begins();
  }
  void revision_seen(std::uint64_t revision) override {
    for (auto& [walker, laps] : laps_) laps->revision_seen(revision);
  }

  // All of them: one that hangs is found.
  [[nodiscard]] bool has_gone_on() const override {
    for (const auto& [walker, laps] : laps_) {
      if (!laps->has_gone_on()) return false;
    }
    return !laps_.empty();
  }

  std::optional<std::string> judge(std::string_view text) override {
    const std::string line(text);
    unsigned walker = 0;
    unsigned long long lap = 0;
    unsigned long long digest = 0;
    int used = 0;
    if (std::sscanf(line.c_str(), "walker %u lap %llu: %16llx%n", &walker, &lap, &digest, &used) !=
            3 ||
        static_cast<std::size_t>(used) != line.size()) {
      return "P1: pagewalk printed something else than a lap";
    }
    const auto [first, is_new] = digests_.try_emplace({walker, lap}, digest);
    if (first->second != digest) {
      return "P2: walker " + std::to_string(walker) + " went another way in lap " +
             std::to_string(lap) + " than before";
    }
    auto& laps = laps_[walker];
    if (!laps) laps = make_counter_oracle();
    return laps->judge(std::to_string(lap) + " of " + std::to_string(lap + 1));
  }

 private:
  std::map<unsigned, std::unique_ptr<Oracle>> laps_;
  std::map<std::pair<unsigned, std::uint64_t>, std::uint64_t> digests_;
};

}  // namespace

std::unique_ptr<Oracle> make_pagewalk_oracle() { return std::make_unique<PagewalkOracle>(); }

}  // namespace revenant::crash
