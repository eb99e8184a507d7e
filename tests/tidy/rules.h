// The house style, as far as a program can see it.
//
// Each rule looks at one file at a time and says what it found, with the way out. A rule that must
// be broken for a good reason is changed here, for all to see: there are no exemptions in the
// sources.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/tidy/source_file.h"

namespace revenant::tidy {

struct Finding {
  std::size_t line;  // from 1
  std::string sentence;
};
using Findings = std::vector<Finding>;

struct Rule {
  const char* name;
  void (*check)(const SourceFile&, Findings&);
};

// Where a file may reach: rules_reach.cc.
void check_include_direction(const SourceFile& file, Findings& findings);
void check_lmdb_port(const SourceFile& file, Findings& findings);
void check_linux_port(const SourceFile& file, Findings& findings);

// What a file says of itself: rules_prose.cc.
void check_header_card(const SourceFile& file, Findings& findings);
void check_cited_invariants(const SourceFile& file, Findings& findings);
void check_listed_invariants(const SourceFile& file, Findings& findings);
void check_comments(const SourceFile& file, Findings& findings);

// What a file calls: rules_calls.cc.
void check_banned_calls(const SourceFile& file, Findings& findings);
void check_house_locks(const SourceFile& file, Findings& findings);
void check_test_calls(const SourceFile& file, Findings& findings);

// How long things are: rules_length.cc.
void check_file_length(const SourceFile& file, Findings& findings);
void check_function_length(const SourceFile& file, Findings& findings);

const std::vector<Rule>& rules();

}  // namespace revenant::tidy
