#include <cstddef>
#include <regex>
#include <set>
#include <string>

#include "tests/tidy/rules.h"

namespace revenant::tidy {
namespace {

constexpr std::size_t kColumns = 100;  // as in .clang-format, which leaves comments alone

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

bool stands_beside_code(const SourceFile& file, std::size_t line) {
  return file.code[line].find_first_not_of(" \t") != std::string::npos;
}

}  // namespace

void check_header_card(const SourceFile& file, Findings& findings) {
  if (!file.is_header()) return;
  if (file.raw.empty() || !file.raw[0].starts_with("// ")) {
    findings.push_back({1, "the header has no card; open it with its purpose in one sentence"});
  }
  const std::string code = join(file.code);
  if (code.find("#pragma once") == std::string::npos) {
    findings.push_back({1, "the header may be included twice; add #pragma once"});
  }
  static const std::regex kShared(R"((^|\n)\s+(mutable )?(base::)?Lock \w+_?[;{])");
  static const std::regex kTells(R"([Tt]hread|[Ll]ock|synchronised)");
  static const std::regex kInvariant(R"(//\s+I1\b)");
  if (file.is_in("tests") || !std::regex_search(code, kShared)) return;
  const std::string comments = join(file.comments);
  if (!std::regex_search(comments, kTells)) {
    findings.push_back(
        {1, "the header holds a lock; say in its card which threads come and what it guards"});
  }
  if (!std::regex_search(comments, kInvariant)) {
    findings.push_back(
        {1, "the header holds a lock; say in its card what always holds, as I1, I2, ..."});
  }
}

void check_cited_invariants(const SourceFile& file, Findings& findings) {
  static const std::regex kName(R"(//\s+(?:.*\b)?(I[0-9]+)\b)");
  if (!file.is_header()) return;
  std::set<std::string> defined;
  std::smatch match;
  for (std::size_t i = 0; i < file.comments.size(); ++i) {
    if (!std::regex_search(file.comments[i], match, kName)) continue;
    if (!stands_beside_code(file, i)) {
      defined.insert(match[1]);
    } else if (!defined.contains(match[1])) {
      findings.push_back({i + 1, match[1].str() + " is cited, and no card says what it is"});
    }
  }
}

void check_listed_invariants(const SourceFile& file, Findings& findings) {
  static const std::regex kOpens(R"(^// [A-Z][0-9]+( |\.) \S)");
  static const std::regex kInside(R"(^//.*\S [A-Z][0-9]+  \S)");
  static const std::regex kLeftOfText(R"(^// {1,4}\S)");
  if (!file.is_header()) return;
  bool listed = false;
  for (std::size_t i = 0; i < file.comments.size(); ++i) {
    const std::string& comment = file.comments[i];
    if (std::regex_search(comment, kInside)) {
      findings.push_back({i + 1, "an invariant inside a line: each opens its own"});
    }
    const bool opens = std::regex_search(comment, kOpens);
    if (listed && !opens && std::regex_search(comment, kLeftOfText)) {
      findings.push_back({i + 1, "an invariant goes on left of its text: indent it by five"});
    }
    listed = opens || (listed && comment.starts_with("//     "));
  }
}

void check_comments(const SourceFile& file, Findings& findings) {
  static const std::regex kMarker(R"(\b(TODO|FIXME|XXX|HACK)\b)");
  static const std::regex kBanner(R"(//\s*([-=*#/~])\1{5,})");
  static const std::regex kCode(R"(^\s*//\s*[\w.:>&*\-]+(\(.*\)| = .*);\s*$)");
  for (std::size_t i = 0; i < file.comments.size(); ++i) {
    const std::string& comment = file.comments[i];
    std::smatch match;
    if (!comment.empty() && file.raw[i].size() > kColumns) {
      findings.push_back({i + 1, "longer than " + std::to_string(kColumns) + " columns"});
    }
    if (std::regex_search(comment, match, kMarker)) {
      findings.push_back(
          {i + 1, match[1].str() + ": do it, or open an issue and say why it is safe"});
    }
    if (std::regex_search(comment, kBanner)) {
      findings.push_back({i + 1, "a banner: what needs one belongs in a file of its own"});
    }
    if (std::regex_search(comment, kCode)) {
      findings.push_back({i + 1, "code in a comment: history keeps it, delete it here"});
    }
  }
}

}  // namespace revenant::tidy
