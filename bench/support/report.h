// What a benchmark says: one line a figure, for people or as JSON.
//
//   {"bench":"vm_map","case":"dense_1m","metric":"insert","value":60.1,"unit":"ns"}
//   {... ,"peer":"std","ratio":0.4}    the same figure against a rival measured in the same run
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace revenant::bench {

struct Figure {
  std::string_view case_name;
  std::string_view metric;
  double value = 0;
  std::string_view unit;
  std::string_view peer = {};  // empty: no rival
  double ratio = 0;            // value over the rival's, for the rival named
};

class Report {
 public:
  // Reads --json, --smoke and --case=NAME; ends the program with a usage line at anything else.
  Report(std::string_view bench, int argc, char** argv);

  // A tiny input is wanted: the benchmark is only to be seen working.
  [[nodiscard]] bool smoke() const { return smoke_; }
  [[nodiscard]] bool wants(std::string_view case_name) const {
    return only_.empty() || only_ == case_name;
  }
  void add(const Figure& figure) const;

 private:
  const std::string bench_;
  std::string only_;
  bool json_ = false;
  bool smoke_ = false;
};

// The middle one of `values`, or the upper of two; 0 when there are none.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace revenant::bench
