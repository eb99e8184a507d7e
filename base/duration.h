// Lengths of time as people write them: "100ms", "1.5s", "2m"; "0" needs no unit.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace revenant::base {

// Units: ns us ms s m h d. Negative, unitless (but for 0) and overflowing texts are kUsage.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The shortest usual form: two or three significant digits and one unit ("1.2 ms", "45 s", "3 h").
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace revenant::base
