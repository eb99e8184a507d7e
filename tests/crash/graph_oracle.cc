#include <algorithm>
#include <utility>

#include "tests/crash/oracle.h"

namespace revenant::crash {
namespace {

class GraphOracle final : public Oracle {
 public:
  explicit GraphOracle(std::vector<std::string> unkilled) : unkilled_(std::move(unkilled)) {}

  void store_renewed() override {
    lines_->store_renewed();
    complete_ = false;
  }
  void life_begins() override {
    lines_->life_begins();
    complete_in_life_ = false;
  }
  void revision_seen(std::uint64_t revision) override { lines_->revision_seen(revision); }
  [[nodiscard]] bool has_gone_on() const override {
    return complete_in_life_ || lines_->has_gone_on();
  }
  [[nodiscard]] bool ends() const override { return true; }
  [[nodiscard]] bool complete() const override { return complete_; }

  std::optional<std::string> judge(std::string_view line) override {
    const auto same = std::find(unkilled_.begin(), unkilled_.end(), line);
    if (same == unkilled_.end()) return "R1: the unkilled run did not print: " + std::string(line);
    const auto number = same - unkilled_.begin();
    if (same + 1 == unkilled_.end()) complete_ = complete_in_life_ = true;
    return lines_->judge(std::to_string(number) + " of " + std::to_string(number + 1));
  }

 private:
  const std::vector<std::string> unkilled_;
  std::unique_ptr<Oracle> lines_ = make_counter_oracle();
  bool complete_ = false;
  bool complete_in_life_ = false;
};

}  // namespace

std::unique_ptr<Oracle> make_graph_oracle(std::vector<std::string> unkilled) {
  return std::make_unique<GraphOracle>(std::move(unkilled));
}

}  // namespace revenant::crash
