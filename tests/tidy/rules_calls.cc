#include <cstddef>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"

namespace revenant::tidy {
namespace {

struct Ban {
  std::regex pattern;
  const char* sentence;
};

void apply(const std::vector<Ban>& bans, const SourceFile& file, Findings& findings) {
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    for (const Ban& ban : bans) {
      if (std::regex_search(file.code[i], ban.pattern)) findings.push_back({i + 1, ban.sentence});
    }
  }
}

// A call of libc's `names`, as it is, qualified by :: or by std::, but not of a member or a like
// name.
std::regex call_of(const std::string& names) {
  return std::regex("(^|[^\\w.>:]|[^\\w]::|^::|std::)(" + names + ")\\s*\\(");
}

}  // namespace

void check_banned_calls(const SourceFile& file, Findings& findings) {
  static const std::vector<Ban> kBans = {
      {call_of("v?sprintf"), "sprintf cannot know its room; use snprintf or fmt::format"},
      {call_of("strcpy|strcat|strncpy|gets|strtok"),
       "use std::string, or memcpy of a known length"},
      {call_of("s?rand"), "use std::mt19937_64 with a seed that is printed"},
      {call_of("ato[ifl]+"), "ato* cannot fail; use std::from_chars"},
      {call_of("assert"), "use REVENANT_CHECK or REVENANT_DCHECK, which print the facts"},
      {call_of("localtime|gmtime|ctime|asctime"),
       "use the _r form or std::chrono: it shares a buffer"},
      {call_of("system"), "start the program itself, without a shell"},
      {call_of("alloca"), "a green thread's stack is small; use a buffer of a known size"},
      {call_of("getaddrinfo|gethostbyname"),
       "static programs cannot resolve names; take numeric addresses or ask a helper process"},
      {std::regex(R"(\bstd::endl\b)"), "std::endl flushes; write '\\n'"},
      {std::regex(R"(\bNULL\b)"), "use nullptr"},
      {std::regex(R"(\btypedef\b)"), "use using"},
      {std::regex(R"(\bgoto\b)"), "make it a function that returns"},
      {std::regex(R"(\bstd::bind\b)"), "use a lambda"},
      {std::regex(R"(\busing namespace std\s*;)"), "name what is meant: std:: stays"},
      {std::regex(R"(#\s*include\s*<iostream>)"),
       "its static initialisers cost each start; use fmt"},
  };
  apply(kBans, file, findings);
}

void check_house_locks(const SourceFile& file, Findings& findings) {
  static const std::set<std::string> kRooms = {"base",    "vm",      "store",
                                               "objects", "runtime", "include"};
  static const std::vector<Ban> kBans = {
      {std::regex(R"(\bstd::(recursive_|shared_|timed_|recursive_timed_|shared_timed_)?mutex\b)"),
       "programs redirect pthread's mutexes to green threads; use base::Lock with a rank"},
      {std::regex(R"(\bstd::condition_variable(_any)?\b)"),
       "programs redirect pthread's conditions to green threads; use base::Condition"},
      {std::regex(R"([^\w]pthread_(mutex|cond|rwlock)_(t|init|lock|wait)\b)"),
       "programs redirect it to green threads; use base::Lock with a rank"},
  };
  // Those that receive what is redirected, and reach the originals, name it.
  static const std::regex kWrappers(R"(^runtime/(calls/\w+\.(h|cc)|host/real_calls_linux\.h)$)");
  if (kRooms.contains(file.room()) && !std::regex_match(file.path, kWrappers)) {
    apply(kBans, file, findings);
  }
}

void check_test_calls(const SourceFile& file, Findings& findings) {
  static const std::vector<Ban> kSleeps = {
      {std::regex(R"(\bstd::this_thread::sleep_(for|until)\b)"),
       "a sleep synchronises nothing; wait for the event itself"},
      {call_of("sleep|usleep|nanosleep"),
       "a sleep synchronises nothing; wait for the event itself"},
  };
  static const std::vector<Ban> kHidden = {
      {std::regex(R"(\bGTEST_SKIP\b)"),
       "a skipped test passes; make it run everywhere or delete it"},
      {std::regex(R"(\bDISABLED_)"), "a disabled test rots; mend it or delete it"},
      {std::regex(R"(\b(ASSERT|EXPECT)_TRUE\(\s*true\s*\))"), "this cannot fail"},
  };
  if (!file.is_in("tests")) return;
  apply(kHidden, file, findings);
  // The crash driver's lives end at a random time: there the sleep is what is tested.
  if (!file.is_in("tests/crash")) apply(kSleeps, file, findings);
}

}  // namespace revenant::tidy
