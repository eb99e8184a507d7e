#include <cctype>
#include <cstddef>
#include <regex>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"

namespace revenant::tidy {
namespace {

constexpr std::size_t kLongestFileLines = 400;
constexpr std::size_t kLongestFunctionLines = 60;

// Finds functions by their braces, with no grammar: what stands before an opening brace tells what
// it opens. Where it guesses wrong, a function counts as part of what surrounds it.
class FunctionScanner {
 public:
  explicit FunctionScanner(Findings& findings) : findings_(findings) {}

  void take_line(const std::string& code, std::size_t line) {
    line_ = line;
    const std::size_t first = code.find_first_not_of(" \t");
    if (first != std::string::npos && code[first] == '#') return;
    for (const char character : code) take(character);
    head_ += ' ';
  }

 private:
  enum class Kind { kScope, kFunction, kInside, kInitialiser };
  struct Open {
    Kind kind;
    std::size_t line;
  };

  void take(char character) {
    if (character == '{') {
      open();
    } else if (character == '}') {
      close();
    } else if (character == ';') {
      head_.clear();
    } else {
      if (head_.find_first_not_of(" \t") == std::string::npos) head_line_ = line_;
      head_ += character;
    }
  }

  void open() {
    const Kind kind = kind_of_head();
    open_.push_back({kind, kind == Kind::kFunction ? head_line_ : line_});
    if (kind != Kind::kInitialiser) head_.clear();
  }

  void close() {
    if (open_.empty()) return;
    const Open closed = open_.back();
    open_.pop_back();
    if (closed.kind == Kind::kInitialiser) {
      head_ += '}';
    } else {
      head_.clear();
    }
    const std::size_t lines = line_ - closed.line + 1;
    if (closed.kind == Kind::kFunction && lines > kLongestFunctionLines) {
      findings_.push_back({closed.line, "a function of " + std::to_string(lines) + " lines, of " +
                                            std::to_string(kLongestFunctionLines) +
                                            " at most; name its parts"});
    }
  }

  [[nodiscard]] Kind kind_of_head() const {
    static const std::regex kScope(R"(\b(namespace|class|struct|union|enum|extern)\b)");
    static const std::regex kMember(R"(\)\s*(noexcept)?\s*:[^:].*[\w>]\s*$)");
    static const std::regex kBody(R"((\bconst|\bnoexcept|\boverride|\bfinal)\s*$)");
    const Kind outer = open_.empty() ? Kind::kScope : open_.back().kind;
    if (outer == Kind::kInitialiser) return Kind::kInitialiser;
    if (outer != Kind::kScope) return Kind::kInside;
    if (std::regex_search(without_groups(head_), kScope)) return Kind::kScope;
    // The braces of a constructor's "f() : member{" open no body.
    if (std::regex_search(head_, kMember) && !std::regex_search(head_, kBody)) {
      return Kind::kInitialiser;
    }
    return head_.find(')') != std::string::npos ? Kind::kFunction : Kind::kInside;
  }

  // What is left of a declaration without its parameters, template parameters and attributes.
  static std::string without_groups(const std::string& head) {
    std::string left;
    int depth = 0;
    for (const char character : head) {
      if (character == '(' || character == '<') ++depth;
      if (depth == 0) left += character;
      if (character == ')' || character == '>') depth = depth > 0 ? depth - 1 : 0;
    }
    return left;
  }

  Findings& findings_;
  std::vector<Open> open_;
  std::string head_;
  std::size_t head_line_ = 1;
  std::size_t line_ = 1;
};

}  // namespace

void check_file_length(const SourceFile& file, Findings& findings) {
  if (file.raw.size() > kLongestFileLines) {
    findings.push_back({file.raw.size(), "the file has more than " +
                                             std::to_string(kLongestFileLines) +
                                             " lines; it is two nouns, part them"});
  }
}

void check_function_length(const SourceFile& file, Findings& findings) {
  FunctionScanner scanner(findings);
  for (std::size_t i = 0; i < file.code.size(); ++i) scanner.take_line(file.code[i], i + 1);
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {"IncludeDirection", check_include_direction},
      {"LmdbPort", check_lmdb_port},
      {"LinuxPort", check_linux_port},
      {"HeaderCard", check_header_card},
      {"CitedInvariants", check_cited_invariants},
      {"ListedInvariants", check_listed_invariants},
      {"Comments", check_comments},
      {"BannedCalls", check_banned_calls},
      {"HouseLocks", check_house_locks},
      {"TestCalls", check_test_calls},
      {"FileLength", check_file_length},
      {"FunctionLength", check_function_length},
  };
  return kRules;
}

}  // namespace revenant::tidy
