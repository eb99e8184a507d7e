#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <deque>
#include <utility>

#include "tests/crash/oracle.h"

namespace revenant::crash {
namespace {

class CounterOracle final : public Oracle {
 public:
  void store_renewed() override { *this = CounterOracle(); }

  void life_begins() override {
    lines_in_life_ = 0;
    sightings_.clear();
  }

  std::optional<std::string> judge(std::string_view text) override {
    const std::string line(text);
    std::int64_t number = 0;
    std::int64_t size = 0;
    int used = 0;
    if (std::sscanf(line.c_str(), "%" SCNd64 " of %" SCNd64 "%n", &number, &size, &used) != 2 ||
        static_cast<std::size_t>(used) != line.size()) {
      return "the counter printed something else than `N of M`";
    }
    if (size != number + 1) return "C1: the vector's size does not fit the loop variable";
    auto broken = lines_in_life_++ == 0 ? judge_first(number) : judge_next(number);
    last_in_life_ = number;
    greatest_shown_ = std::max(greatest_shown_, number);
    return broken;
  }

  void revision_seen(std::uint64_t revision) override {
    if (lines_in_life_ == 0) return;
    sightings_.push_back({last_in_life_, revision});
    // The next revision may have been harvested before the line; the one after it was not.
    while (sightings_.front().revision + 2 <= revision) {
      durable_floor_ = std::max(durable_floor_, sightings_.front().number);
      sightings_.pop_front();
    }
  }

  [[nodiscard]] bool has_gone_on() const override { return lines_in_life_ >= 4; }

 private:
  struct Sighting {
    std::int64_t number;
    std::uint64_t revision;
  };

  std::optional<std::string> judge_first(std::int64_t number) {
    const std::string begins = "the life begins with " + std::to_string(number);
    if (number > greatest_shown_ + 1) {
      return "C3: " + begins + ", but no more than " + std::to_string(greatest_shown_) +
             " was shown before";
    }
    if (number < restored_floor_) {
      return "C3: " + begins + ", behind an earlier life's " + std::to_string(restored_floor_);
    }
    if (number < durable_floor_) {
      return "C4: " + begins + ", behind the committed " + std::to_string(durable_floor_);
    }
    restored_floor_ = number;
    return std::nullopt;
  }

  std::optional<std::string> judge_next(std::int64_t number) const {
    if (number == last_in_life_ + 1) return std::nullopt;
    return "C2: " + std::to_string(number) + " follows " + std::to_string(last_in_life_);
  }

  int lines_in_life_ = 0;
  std::int64_t last_in_life_ = 0;
  std::int64_t greatest_shown_ = -1;
  std::int64_t restored_floor_ = 0;
  std::int64_t durable_floor_ = 0;
  std::deque<Sighting> sightings_;
};

}  // namespace

std::unique_ptr<Oracle> make_counter_oracle() { return std::make_unique<CounterOracle>(); }

std::unique_ptr<Oracle> make_oracle(std::string_view kind, std::vector<std::string> unkilled) {
  if (kind == "counter") return make_counter_oracle();
  if (kind == "graph") return make_graph_oracle(std::move(unkilled));
  if (kind == "ledger") return make_ledger_oracle();
  if (kind == "life") return make_life_oracle();
  if (kind == "pagewalk") return make_pagewalk_oracle();
  return nullptr;
}

}  // namespace revenant::crash
