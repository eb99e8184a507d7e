// How the sample programs read what run() did not take: flags with a value each.
//
// A mistake throws std::invalid_argument with a sentence that names the flag. or_refuse() says it
// and ends the program with exit code 2; it leaves no trace in the store, so the next start begins
// anew.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace flags {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

[[noreturn]] inline void refuse(std::string_view flag, const std::string& wanted) {
  throw std::invalid_argument(std::string(flag) + " wants " + wanted);
}

template <class T>
bool parse(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && parsed == end;
}

inline std::uint64_t number(std::string_view flag, std::string_view text, std::uint64_t least,
                            std::uint64_t most = kNoLimit) {
  std::uint64_t value = 0;
  if (parse(text, value) && value >= least && value <= most) return value;
  refuse(flag, most == kNoLimit
                   ? "a number of at least " + std::to_string(least)
                   : "a number from " + std::to_string(least) + " to " + std::to_string(most));
}

// Bytes: a number with K, M or G behind it, or none.
inline std::uint64_t size(std::string_view flag, std::string_view text) {
  static constexpr std::string_view kUnits = "KMG";
  const std::size_t unit = text.empty() ? kUnits.npos : kUnits.find(text.back());
  const unsigned shift = unit == kUnits.npos ? 0 : 10 * static_cast<unsigned>(unit + 1);
  std::uint64_t value = 0;
  if (parse(text.substr(0, text.size() - (shift != 0 ? 1 : 0)), value) && value >= 1 &&
      value <= (std::uint64_t{1} << 40 >> shift)) {
    return value << shift;
  }
  refuse(flag, "a size, as 64M or 2G");
}

inline double share(std::string_view flag, std::string_view text) {
  double value = 0;
  if (parse(text, value) && value >= 0 && value <= 1) return value;
  refuse(flag, "a share, from 0 to 1");
}

// Calls take(flag, value) for each pair; false means that `program` knows no such flag.
template <class Take>
void for_each(const char* program, const std::vector<std::string_view>& args, Take take) {
  for (std::size_t i = 0; i < args.size(); i += 2) {
    const std::string_view value = i + 1 < args.size() ? args[i + 1] : "";
    if (!take(args[i], value)) {
      throw std::invalid_argument(std::string(program) + " knows no argument " +
                                  std::string(args[i]));
    }
  }
}

// What `read` gives; a mistake ends the program.
template <class Read>
auto or_refuse(const char* program, Read read) {
  try {
    return read();
  } catch (const std::invalid_argument& mistake) {
    std::fprintf(stderr, "%s: %s\n", program, mistake.what());
    std::exit(2);
  }
}

}  // namespace flags
