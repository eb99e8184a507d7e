#include "tests/tidy/shown_by.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>

namespace revenant::tidy {
namespace {

class Tests {
 public:
  explicit Tests(const std::vector<SourceFile>& sources) : sources_(sources) {
    static const std::regex kDeclaration(R"(\bTEST(?:_F|_P)?\((\w+), (\w+)\))");
    for (const SourceFile& file : sources) {
      for (const std::string& line : file.code) {
        std::smatch match;
        if (!std::regex_search(line, match, kDeclaration)) continue;
        tests_.insert(match[1].str() + "." + match[2].str());
        suites_[match[1]] = file.path;
      }
    }
  }

  [[nodiscard]] bool has(const std::string& test) const { return tests_.contains(test); }

  [[nodiscard]] bool has_case(const std::string& suite, const std::string& name) const {
    const auto found = suites_.find(suite);
    if (found == suites_.end()) return false;
    const std::string& path = found->second;
    const std::string name_of_file = path.substr(path.rfind('/'));
    const std::string folder = name_of_file.substr(0, name_of_file.rfind("_test.cc")) + "/";
    const std::string literal = '"' + name + '"';
    return std::ranges::any_of(sources_, [&](const SourceFile& file) {
      if (file.path != path && file.path.find(folder) == std::string::npos) return false;
      return std::ranges::any_of(file.raw, [&](const std::string& line) {
        return line.find(literal) != std::string::npos;
      });
    });
  }

 private:
  const std::vector<SourceFile>& sources_;
  std::set<std::string> tests_;
  std::map<std::string, std::string> suites_;  // to the path of the file that declares it
};

std::string last_cell(const std::string& row) {
  const std::size_t end = row.rfind('|');
  const std::size_t begin = end == 0 ? end : row.rfind('|', end - 1);
  const std::string cell = row.substr(begin + 1, end - begin - 1);
  const std::size_t first = cell.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : cell.substr(first, cell.find_last_not_of(' ') - first + 1);
}

// What of `name` does not exist, in words; nothing if all does.
std::string missing(const Tests& tests, const std::string& name) {
  const std::size_t colon = name.find(": ");
  if (colon == std::string::npos) return tests.has(name) ? "" : "there is no test " + name;
  const std::string suite = name.substr(0, colon);
  std::istringstream cases(name.substr(colon + 2));
  for (std::string each; cases >> each;) {
    if (tests.has_case(suite, each)) continue;
    return std::string("there is no case ").append(each).append(" of ").append(suite);
  }
  return "";
}

void check_row(const Tests& tests, const std::string& row, std::size_t line, Findings& findings) {
  static const std::regex kName("`([^`]+)`");
  const std::string cell = last_cell(row);
  std::size_t names = 0;
  for (std::sregex_iterator at(cell.begin(), cell.end(), kName), end; at != end; ++at) {
    ++names;
    const std::string lacks = missing(tests, (*at)[1]);
    if (!lacks.empty()) findings.push_back({line, lacks + "; name one that shows the row"});
  }
  if (names == 0) findings.push_back({line, "the row names no test; write one that shows it"});
}

}  // namespace

std::size_t check_shown_by(const std::vector<std::string>& document,
                           const std::vector<SourceFile>& sources, Findings& findings) {
  const Tests tests(sources);
  std::size_t rows = 0;
  bool in_table = false;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const std::string& line = document[i];
    const bool opens = !in_table && line.starts_with("|");
    in_table = line.starts_with("|");
    if (opens && last_cell(line) != "Shown by") {
      findings.push_back({i + 1, "the table's last column is not 'Shown by'; add one"});
    }
    if (!in_table || opens || line.starts_with("|--")) continue;
    ++rows;
    check_row(tests, line, i + 1, findings);
  }
  return rows;
}

}  // namespace revenant::tidy
