// One source file as the style rules see it: the same lines in three views.
//
//   raw       int a = 1;  // the "first"      f("x");
//   code      int a = 1;                      f("");
//   comments              // the "first"
//
// A rule about calls looks at the code, so that neither prose nor a string literal can break it; a
// rule about prose looks at the comments. All three have the same number of lines; columns agree in
// none.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace revenant::tidy {

struct SourceFile {
  std::string path;  // from the root of the tree, with slashes
  std::vector<std::string> raw;
  std::vector<std::string> code;
  std::vector<std::string> comments;

  [[nodiscard]] bool is_header() const { return path.ends_with(".h"); }
  [[nodiscard]] bool is_in(const std::string& folder) const {
    return path.starts_with(folder + "/");
  }
  // The first folder of the path: base, vm, ..., tests; "include" for what applications see.
  [[nodiscard]] std::string room() const { return path.substr(0, path.find('/')); }
};

SourceFile parse_source(std::string path, const std::string& text);

// Every C and C++ source of the rooms, applications, tests and benches under `root`.
std::vector<SourceFile> load_sources(const std::filesystem::path& root);

// Those of the tests, with the programs that are written as other people write theirs.
std::vector<SourceFile> load_tests(const std::filesystem::path& root);

}  // namespace revenant::tidy
