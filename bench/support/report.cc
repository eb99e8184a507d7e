#include "bench/support/report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <nlohmann/json.hpp>

namespace revenant::bench {

Report::Report(std::string_view bench, int argc, char** argv) : bench_(bench) {
  constexpr std::string_view kCaseFlag = "--case=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      json_ = true;
    } else if (argument == "--smoke") {
      smoke_ = true;
    } else if (argument.starts_with(kCaseFlag)) {
      only_ = argument.substr(kCaseFlag.size());
    } else {
      std::fprintf(stderr, "usage: %s [--json] [--smoke] [--case=NAME]\n", argv[0]);
      std::exit(2);
    }
  }
}

void Report::add(const Figure& figure) const {
  nlohmann::ordered_json line = {{"bench", bench_},
                                 {"case", figure.case_name},
                                 {"metric", figure.metric},
                                 {"value", figure.value},
                                 {"unit", figure.unit}};
  if (!figure.peer.empty()) {
    line["peer"] = figure.peer;
    line["ratio"] = figure.ratio;
  }
  if (json_) {
    std::printf("%s\n", line.dump().c_str());
  } else {
    std::printf("%-12s %-16s %10.2f %-6s", std::string(figure.case_name).c_str(),
                std::string(figure.metric).c_str(), figure.value, std::string(figure.unit).c_str());
    if (!figure.peer.empty()) {
      std::printf(" %.2f of %s", figure.ratio, std::string(figure.peer).c_str());
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace revenant::bench
