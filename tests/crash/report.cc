#include "tests/crash/report.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/duration.h"

namespace revenant::crash {
namespace {

// The lengths sorted into decades, half a decade each, from 1 ms on.
constexpr std::array<std::int64_t, 9> kEdgesUs = {1'000,   3'000,     10'000,    30'000,    100'000,
                                                  300'000, 1'000'000, 3'000'000, 10'000'000};

std::array<int, kEdgesUs.size() + 1> distribution(const CampaignFigures& figures) {
  std::array<int, kEdgesUs.size() + 1> counts{};
  for (const Microseconds length : figures.lengths) {
    const auto edge = std::upper_bound(kEdgesUs.begin(), kEdgesUs.end(), length.count());
    ++counts[static_cast<std::size_t>(edge - kEdgesUs.begin())];
  }
  return counts;
}

std::string distribution_lines(const CampaignFigures& figures) {
  const auto counts = distribution(figures);
  const int most = std::max(1, *std::max_element(counts.begin(), counts.end()));
  std::string lines;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const bool last = i == kEdgesUs.size();
    const Microseconds edge(kEdgesUs[last ? i - 1 : i]);
    lines += fmt::format("  {} {:>7} {:>5}  {:#<{}}\n", last ? "from " : "below",
                         base::format_duration(edge), counts[i], "", counts[i] * 40 / most);
  }
  return lines;
}

std::string violation_lines(const CampaignOptions& options, const Violation& violation) {
  std::string lines = fmt::format(
      "violation: {}\n  seed {}, kill {}, a {} life of {} at {} cadence; the store is kept: {}\n",
      violation.sentence, options.seed, violation.kill_number, name_of(violation.life.kind),
      base::format_duration(violation.life.length), base::format_duration(violation.life.cadence),
      options.store.string());
  for (const std::string& line : violation.last_output) lines += "  stdout: " + line + "\n";
  for (const std::string& line : violation.last_errors) lines += "  stderr: " + line + "\n";
  return lines;
}

}  // namespace

std::string text_report(const CampaignOptions& options, const CampaignFigures& figures,
                        const std::optional<Violation>& violation) {
  std::string kinds;
  for (int i = 0; i < kLifeKinds; ++i) {
    kinds += fmt::format("{}{} {}", i == 0 ? "" : ", ", figures.lives[static_cast<std::size_t>(i)],
                         name_of(static_cast<LifeKind>(i)));
  }
  const std::string memory = figures.sampled == 0
                                 ? ""
                                 : fmt::format("pages: {} MiB at most, {} samples\n",
                                               figures.most_resident_bytes >> 20, figures.sampled);
  const std::string found = violation ? violation_lines(options, *violation) : "no violation\n";
  return fmt::format(
      "{}: {} kills, seed {}: {} before its first output, {} after it\n"
      "lives: {}; {} new stores, {} ended by itself, {} second starts refused, {} times "
      "verified\n{}{}{}",
      options.program.filename().string(), figures.kills, options.seed, figures.before_first_output,
      figures.kills - figures.before_first_output, kinds, figures.fresh_stores,
      figures.ended_by_itself, figures.refused_starts, figures.verified, memory,
      distribution_lines(figures), found);
}

std::string json_report(const CampaignOptions& options, const CampaignFigures& figures,
                        const std::optional<Violation>& violation) {
  nlohmann::ordered_json lives;
  for (int i = 0; i < kLifeKinds; ++i) {
    lives[std::string(name_of(static_cast<LifeKind>(i)))] =
        figures.lives[static_cast<std::size_t>(i)];
  }
  nlohmann::ordered_json report = {{"v", 1},
                                   {"app", options.program.filename().string()},
                                   {"seed", options.seed},
                                   {"kills", figures.kills},
                                   {"violations", violation ? 1 : 0},
                                   {"before_first_output", figures.before_first_output},
                                   {"fresh_stores", figures.fresh_stores},
                                   {"ended_by_itself", figures.ended_by_itself},
                                   {"refused_starts", figures.refused_starts},
                                   {"verified", figures.verified},
                                   {"sampled", figures.sampled},
                                   {"most_resident_bytes", figures.most_resident_bytes},
                                   {"lives", lives},
                                   {"length_edges_us", kEdgesUs},
                                   {"length_counts", distribution(figures)}};
  if (violation) {
    report["violation"] = {{"sentence", violation->sentence},
                           {"kill", violation->kill_number},
                           {"life", name_of(violation->life.kind)},
                           {"length_us", violation->life.length.count()},
                           {"cadence_us", violation->life.cadence.count()},
                           {"store", options.store.string()},
                           {"stdout", violation->last_output},
                           {"stderr", violation->last_errors}};
  }
  return report.dump() + "\n";
}

}  // namespace revenant::crash
