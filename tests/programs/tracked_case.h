// A case of a program and the tracker it runs with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace revenant {

using TrackedCase = std::tuple<const char*, const char*>;

// Sanitized builds try the other trackers room by room (tests/vm): each program is a process or
// three.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline const auto each_tracker = ::testing::Values("async");
#else
inline const auto each_tracker = ::testing::Values("async", "sync", "mprotect");
#endif

inline std::string name_of_case(const ::testing::TestParamInfo<TrackedCase>& info) {
  return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
}

}  // namespace revenant
