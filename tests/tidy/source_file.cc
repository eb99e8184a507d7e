#include "tests/tidy/source_file.h"

#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

namespace revenant::tidy {
namespace {

constexpr std::array kFolders = {"base", "vm",   "store", "objects", "runtime",
                                 "cli",  "apps", "bench", "include", "tests"};

// Deals a text out to code and comments. A line's end goes to both, so that lines stay numbered.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  void split() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        comment_until("\n", 0);
      } else if (starts("/*")) {
        comment_until("*/", 2);
      } else if (starts("R\"")) {
        skip_raw_string();
      } else if (text_[at_] == '"' || starts_character()) {
        skip_literal();
      } else {
        to_code(text_[at_++]);
      }
    }
  }

  std::string code;
  std::string comments;

 private:
  [[nodiscard]] bool starts(std::string_view what) const {
    return text_.substr(at_).starts_with(what);
  }

  // A quote after a digit or a letter separates digits: 1'000.
  [[nodiscard]] bool starts_character() const {
    return text_[at_] == '\'' &&
           (at_ == 0 || std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) == 0);
  }

  void to_code(char character) {
    code += character;
    if (character == '\n') comments += character;
  }

  // Skips to `end`, and `more` characters of it: the line's end itself is no part of a comment.
  void comment_until(std::string_view end, std::size_t more) {
    const std::size_t found = text_.find(end, at_ + 2);
    const std::size_t stop = found == std::string_view::npos ? text_.size() : found + more;
    for (; at_ < stop; ++at_) {
      comments += text_[at_];
      if (text_[at_] == '\n') code += '\n';
    }
  }

  void skip_literal() {
    const char quote = text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    code += {quote, quote};
    if (at_ < text_.size() && text_[at_] == quote) ++at_;
  }

  void skip_raw_string() {
    const std::size_t open = text_.find('(', at_);
    const std::string end = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const std::size_t found = text_.find(end, open);
    const std::size_t stop = found == std::string_view::npos ? text_.size() : found + end.size();
    code += "\"\"";
    for (; at_ < stop; ++at_) {
      if (text_[at_] == '\n') to_code('\n');
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Built with the installed package only, and written as other people write.
bool is_from_outside(const std::string& path) { return path.starts_with("tests/package/outside/"); }

void load_folder(const std::filesystem::path& root, const char* folder,
                 std::vector<SourceFile>& sources) {
  if (!std::filesystem::exists(root / folder)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cc" && extension != ".c") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    sources.push_back(parse_source(entry.path().lexically_relative(root).generic_string(), text));
  }
}

}  // namespace

SourceFile parse_source(std::string path, const std::string& text) {
  Splitter splitter(text);
  splitter.split();
  return {.path = std::move(path),
          .raw = lines_of(text),
          .code = lines_of(splitter.code),
          .comments = lines_of(splitter.comments)};
}

std::vector<SourceFile> load_tests(const std::filesystem::path& root) {
  std::vector<SourceFile> sources;
  load_folder(root, "tests", sources);
  return sources;
}

std::vector<SourceFile> load_sources(const std::filesystem::path& root) {
  std::vector<SourceFile> sources;
  for (const char* folder : kFolders) load_folder(root, folder, sources);
  std::erase_if(sources, [](const SourceFile& file) { return is_from_outside(file.path); });
  return sources;
}

}  // namespace revenant::tidy
