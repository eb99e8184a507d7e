// Text: streams to strings, formats, regular expressions, paths.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <iomanip>
#include <locale>
#include <regex>
#include <sstream>

#include "constructs.h"

namespace constructs {
namespace {

std::string ostringstream() {
  std::ostringstream out;
  out << std::hex << std::showbase << 255 << ' ';
  moment();
  out << 4096 << std::dec << ' ' << std::setw(8) << std::setfill('*') << 42 << ' ';
  moment();
  out << std::fixed << std::setprecision(3) << 3.14159 << ' ' << std::boolalpha << true;
  moment();
  out << ' ' << std::quoted("a \"quoted\" word");
  REQUIRE(out.str() == "0xff 0x1000 ******42 3.142 true \"a \\\"quoted\\\" word\"");
  return out.str();
}

std::string istringstream() {
  std::istringstream in("12 0x1f 3.5 word rest of the line\nsecond line\nnot-a-number");
  int decimal = 0;
  int hexadecimal = 0;
  double real = 0;
  std::string word;
  std::string rest;
  in >> decimal >> std::hex >> hexadecimal;
  moment();
  in >> real >> word;
  moment();
  std::getline(in, rest);
  std::getline(in, word);
  moment();
  int bad = 7;
  in >> std::dec >> bad;
  REQUIRE(in.fail() && bad == 0);
  in.clear();
  moment();
  in >> word;
  REQUIRE(in.eof());
  return fmt::format("{} {} {} {} {}", decimal, hexadecimal, real, rest, word);
}

std::string stringstream() {
  std::stringstream both;
  both.exceptions(std::ios::badbit);
  long sum = 0;
  for (int i = 0; i < 200; ++i) {
    both << i << ' ';
    if (i % 40 == 0) moment();
    if (i % 2 == 1) {
      int number = 0;
      both >> number;
      sum += number;
    }
  }
  both.seekp(0);
  both << "overwritten";
  moment();
  REQUIRE(sum == 4950 && both.str().starts_with("overwritten"));
  return fmt::format("{} left at {}", sum, static_cast<long>(both.tellg()));
}

struct Dotted : std::numpunct<char> {
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\3"; }
  [[nodiscard]] char do_decimal_point() const override { return ','; }
};

// A locale of the stream's own, with a facet of the program's.
std::string stream_locale() {
  std::ostringstream out;
  const std::locale plain = out.imbue(std::locale(std::locale::classic(), new Dotted));
  out << 1234567 << ' ';
  moment();
  out << 7654321 << ' ' << 0.5 << ' ';
  moment();
  out.imbue(plain);
  out << 1234567;
  REQUIRE(out.str() == "1.234.567 7.654.321 0,5 1234567");
  return out.str();
}

std::string times_in_streams() {
  std::tm time{};
  std::istringstream in("2024-02-29 12:30:45");
  in >> std::get_time(&time, "%Y-%m-%d %H:%M:%S");
  moment();
  std::ostringstream out;
  out << std::put_time(&time, "%d.%m.%y %T");
  moment();
  return fmt::format("{} {:%H:%M}", out.str(), time);
}

std::string regular_expressions() {
  const std::string text = "alice=3, bob=14, carol=159, dave=none";
  const std::regex pattern(R"((\w+)=(\d+))", std::regex::optimize);
  moment();
  std::string found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
    moment();
    found += fmt::format("{}:{} ", (*at)[1].str(), (*at)[2].str());
  }
  std::smatch match;
  REQUIRE(std::regex_search(text, match, std::regex("c([a-z]+)l")));
  moment();
  REQUIRE(match[1] == "aro");
  const std::regex insensitive("BOB", std::regex::icase | std::regex::extended);
  moment();
  return found + std::regex_replace(text, insensitive, "[$&]");
}

std::string formats() {
  fmt::memory_buffer buffer;  // grows from its own room into the heap
  for (int i = 0; i < 120; ++i) {
    fmt::format_to(std::back_inserter(buffer), "{:>5}|", i * i);
    if (i % 30 == 0) moment();
  }
  REQUIRE(buffer.size() == 120 * 6);
  const std::string width = fmt::format("{:{}.{}f}", 2.0 / 3, 10, 4);
  moment();
  return fmt::format("{} {:#x} {:+} {:^9} {}", width, 48879, 5, "middle",
                     fmt::to_string(buffer).substr(700));
}

std::string paths() {
  std::filesystem::path path = "/usr";
  for (const char* part :
       {"share", "doc", "..", ".", "a long name that does not fit in place.tar.gz"}) {
    path /= part;
    moment();
  }
  const auto held = std::next(path.begin(), 2);
  moment();
  REQUIRE(*held == "share" && path.extension() == ".gz" && path.stem().stem().extension().empty());
  path.replace_extension("xz");
  std::string parts;
  for (const auto& part : path.lexically_normal()) parts += part.string() + "|";
  return parts + path.lexically_relative("/usr/share").string();
}

}  // namespace

std::vector<Case> text() {
  return {{"ostringstream", ostringstream},
          {"istringstream", istringstream},
          {"stringstream", stringstream},
          {"stream_locale", stream_locale},
          {"times_in_streams", times_in_streams},
          {"regex", regular_expressions},
          {"formats", formats},
          {"paths", paths}};
}

}  // namespace constructs
