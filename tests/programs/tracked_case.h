// A case of a program and the tracker it runs with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace revenant {

using TrackedCase = std::tuple<const char*, const char*>;

inline std::string name_of_case(const ::testing::TestParamInfo<TrackedCase>& info) {
  return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
}

}  // namespace revenant
