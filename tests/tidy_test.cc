// Style is a test: the tree keeps the house's rules, and each rule is shown to notice what breaks
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <regex>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"
#include "tests/tidy/shown_by.h"
#include "tests/tidy/source_file.h"

namespace revenant::tidy {

void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct Sample {
  const char* rule;
  const char* path;
  std::string text;
  std::size_t findings;
};

std::vector<Sample> reach_samples() {
  return {
      {"IncludeDirection", "runtime/a.cc", "#include \"runtime/calls/a.h\"\n", 1},
      {"IncludeDirection", "runtime/a.cc", "#include \"runtime/threads/a.h\"\n", 0},
      {"IncludeDirection", "runtime/threads/a.cc", "#include \"runtime/snapshots/a.h\"\n", 1},
      {"IncludeDirection", "runtime/threads/a.cc", "#include \"runtime/a.h\"\n", 1},
      {"IncludeDirection", "runtime/api/a.cc", "#include \"runtime/calls/a.h\"\n", 1},
      {"IncludeDirection", "runtime/calls/a.cc", "#include \"runtime/calls/a.h\"\n", 0},
      {"IncludeDirection", "base/a.h", "#include \"vm/space.h\"\n", 1},
      {"IncludeDirection", "vm/a.h", "#include \"base/units.h\"\n#include \"vm/b.h\"\n", 0},
      {"IncludeDirection", "vm/a.cc", "#include \"store/store.h\"\n", 1},
      {"IncludeDirection", "store/a.cc", "#include \"vm/page_source.h\"\n", 1},
      {"IncludeDirection", "objects/a.h", "#include \"vm/memory_manager.h\"\n", 0},
      {"IncludeDirection", "objects/a.h", "#include \"store/store.h\"\n", 1},
      {"IncludeDirection", "objects/a.h", "#include \"runtime/threads/scheduler.h\"\n", 1},
      {"IncludeDirection", "runtime/a.h", "#include <revenant/run.h>\n#include \"store/s.h\"\n", 0},
      {"IncludeDirection", "runtime/a.cc", "#include \"cli/print.h\"\n", 1},
      {"IncludeDirection", "cli/a.cc", "#include \"runtime/threads/green_thread.h\"\n", 0},
      {"IncludeDirection", "include/revenant/run.h", "#include \"base/result.h\"\n", 1},
      {"IncludeDirection", "include/revenant/run.h", "#include <revenant/thread.h>\n", 0},
      {"IncludeDirection", "apps/a.cc", "#include <revenant/revenant.h>\n#include <vector>\n", 0},
      {"IncludeDirection", "apps/a.cc", "#include <runtime/machine.h>\n", 1},
      {"IncludeDirection", "vm/a.cc", "#include \"space.h\"\n", 1},
      {"IncludeDirection", "apps/ledger/a.cc", "#include \"bank.h\"\n", 0},
      {"IncludeDirection", "vm/a.cc", "// #include \"store/store.h\"\n", 0},
      {"IncludeDirection", "tests/vm/a.cc", "#include \"store/store.h\"\n", 0},
      {"LmdbPort", "store/lmdb_env.cc", "#include <lmdb.h>\n", 0},
      {"LmdbPort", "store/lmdb_env.h", "#include <lmdb.h>\n", 1},
      {"LmdbPort", "store/store.cc", "#include <lmdb.h>\n", 1},
      {"LmdbPort", "cli/log.cc", "#include <lmdb.h>\n", 1},
      {"LinuxPort", "vm/space_linux.cc", "#include <sys/mman.h>\nvoid f() { ::mmap(); }\n", 0},
      {"LinuxPort", "vm/space.cc", "#include <sys/mman.h>\n", 1},
      {"LinuxPort", "vm/space.cc", "void f() { ::mprotect(p, n, 0); }\n", 1},
      {"LinuxPort", "runtime/a.cc", "#include <linux/userfaultfd.h>\n", 1},
      {"LinuxPort", "runtime/a.cc", "int x = sigaction(1, &a, &b);\n", 1},
      {"LinuxPort", "runtime/a.cc", "// mmap() is called by space_linux.cc\n", 0},
      {"LinuxPort", "runtime/a.cc", "void* __wrap_mmap(void*);\n", 0},
      {"LinuxPort", "cli/a.cc", "#include <csignal>\n", 0},
      {"LinuxPort", "store/a_linux.cc", "#include <sys/mman.h>\n", 1},
  };
}

std::vector<Sample> prose_samples() {
  const std::string card = "// A thing.\n//\n";
  const std::string locked =
      "#pragma once\nclass A {\n  base::Lock mu_{base::LockRank::kLog};\n};\n";
  return {
      {"HeaderCard", "vm/a.h", "// What a page is.\n#pragma once\n", 0},
      {"HeaderCard", "vm/a.h", "#pragma once\n// What a page is.\n", 1},
      {"HeaderCard", "vm/a.h", "// What a page is.\nint a;\n", 1},
      {"HeaderCard", "vm/a.h", "", 2},
      {"HeaderCard", "vm/a.cc", "int a;\n", 0},
      {"HeaderCard", "vm/a.h", card + locked, 2},
      {"HeaderCard", "vm/a.h", card + "// I1  It is.\n// Threads: any.\n" + locked, 0},
      {"HeaderCard", "tests/vm/a.h", card + locked, 0},
      {"CitedInvariants", "vm/a.h", card + "// I1  It is.\nint a;  // I1\n", 0},
      {"CitedInvariants", "vm/a.h", card + "// I1  It is.\nint a;  // I2\n", 1},
      {"ListedInvariants", "vm/a.h",
       card + "// I1  It is.\n// I2  It is\n//     not.\n//\n// So.\n", 0},
      {"ListedInvariants", "vm/a.h", card + "// I1  It\n// is. I2  It is not.\n", 2},
      {"ListedInvariants", "vm/a.h", card + "// I1  It is,\n//     and\n// stays.\n", 1},
      {"Comments", "vm/a.cc", "// " + repeated("a", 97) + "\n", 0},
      {"Comments", "vm/a.cc", "int a;  // " + repeated("a", 90) + "\n", 1},
      {"Comments", "vm/a.cc", "// TODO: later\n", 1},
      {"Comments", "vm/a.cc", "int a;  /* FIXME */\n", 1},
      {"Comments", "vm/a.cc", "const char* a = \"TODO XXX\";\n", 0},
      {"Comments", "vm/a.cc", "// ------------\n", 1},
      {"Comments", "vm/a.cc", "// a --> b --> c\n", 0},
      {"Comments", "vm/a.cc", "// write(page, 3);\n", 1},
      {"Comments", "vm/a.cc", "// page = next;\n", 1},
      {"Comments", "vm/a.cc", "// Pages are written (in order);\n// others are not.\n", 0},
  };
}

std::vector<Sample> call_samples() {
  return {
      {"BannedCalls", "vm/a.cc", "sprintf(a, b);\n", 1},
      {"BannedCalls", "vm/a.cc", "std::snprintf(a, n, b);\n", 0},
      {"BannedCalls", "vm/a.cc", "x = std::strcpy(a, b);\n", 1},
      {"BannedCalls", "vm/a.cc", "int n = ::rand() % 5;\n", 1},
      {"BannedCalls", "vm/a.cc", "int n = source.rand();\nint m = Source::rand();\n", 0},
      {"BannedCalls", "vm/a.cc", "assert(a);\nstatic_assert(b);\nlock.assert_held();\n", 1},
      {"BannedCalls", "vm/a.cc", "int n = atoi(a);\n", 1},
      {"BannedCalls", "vm/a.cc", "out << std::endl;\n", 1},
      {"BannedCalls", "vm/a.cc", "int* a = NULL;\n", 1},
      {"BannedCalls", "vm/a.cc", "typedef int a;\n", 1},
      {"BannedCalls", "vm/a.cc", "goto end;\n", 1},
      {"BannedCalls", "vm/a.cc", "auto f = std::bind(g, 1);\n", 1},
      {"BannedCalls", "vm/a.cc", "using namespace std;\nusing namespace std::chrono_literals;\n",
       1},
      {"BannedCalls", "vm/a.cc", "#include <iostream>\n", 1},
      {"BannedCalls", "vm/a.cc", "std::system(a);\n", 1},
      {"BannedCalls", "vm/a.cc", "auto* t = localtime(&now);\n", 1},
      {"BannedCalls", "vm/a.cc", "char* a = alloca(4);\n", 1},
      {"BannedCalls", "vm/a.cc", "int e = ::getaddrinfo(a, b, c, d);\n", 1},
      {"BannedCalls", "vm/a.cc", "// sprintf(a)\nlog(\"assert(a)\");\n", 0},
      {"HouseLocks", "vm/a.h", "std::mutex m;\n", 1},
      {"HouseLocks", "runtime/a.h", "std::condition_variable_any c;\n", 1},
      {"HouseLocks", "store/a.h", "std::shared_mutex m;\n", 1},
      {"HouseLocks", "objects/a.cc", "static pthread_mutex_t m;\n", 1},
      {"HouseLocks", "runtime/calls/mutexes.cc", "int f(pthread_mutex_t* m);\n", 0},
      {"HouseLocks", "tests/vm/a.cc", "std::mutex m;\n", 0},
      {"HouseLocks", "runtime/a.h", "revenant::mutex m;\n", 0},
      {"TestCalls", "tests/vm/a.cc", "std::this_thread::sleep_for(1s);\n", 1},
      {"TestCalls", "tests/vm/a.cc", "::usleep(5);\nsleep(1);\n", 2},
      {"TestCalls", "tests/runtime/a.cc", "revenant::this_thread::sleep_for(1s);\n", 0},
      {"TestCalls", "tests/crash/a.cc", "std::this_thread::sleep_for(life);\n", 0},
      {"TestCalls", "tests/vm/a.cc", "GTEST_SKIP() << \"no\";\n", 1},
      {"TestCalls", "tests/vm/a.cc", "TEST(A, DISABLED_b) {}\n", 1},
      {"TestCalls", "tests/vm/a.cc", "EXPECT_TRUE(true);\n", 1},
      {"TestCalls", "vm/a.cc", "std::this_thread::sleep_for(1s);\n", 0},
  };
}

std::vector<Sample> length_samples() {
  const std::string body58 = repeated("  x();\n", 58);
  const std::string body59 = repeated("  x();\n", 59);
  const std::string blocks = repeated("  if (a) {\n    b = {1};\n  }\n", 20);
  return {
      {"FileLength", "vm/a.cc", repeated("int a;\n", 400), 0},
      {"FileLength", "vm/a.cc", repeated("int a;\n", 401), 1},
      {"FunctionLength", "vm/a.cc", "void f() {\n" + body58 + "}\n", 0},
      {"FunctionLength", "vm/a.cc", "void f() {\n" + body59 + "}\n", 1},
      {"FunctionLength", "vm/a.cc", "int f(int a,\n      int b) {\n" + body58 + "}\n", 1},
      {"FunctionLength", "vm/a.cc", "void f() {\n" + blocks + "}\n", 1},
      {"FunctionLength", "vm/a.cc", repeated("int f() {\n" + body58 + "}\n", 2), 0},
      {"FunctionLength", "vm/a.h", "class A : public B {\n" + body59 + "};\n", 0},
      {"FunctionLength", "vm/a.h", "class NOTE(\"x\") A final {\n" + body59 + "};\n", 0},
      {"FunctionLength", "vm/a.h", "namespace a {\n" + body59 + "}\n", 0},
      {"FunctionLength", "vm/a.h", "template <class T>\nclass A {\n" + body59 + "};\n", 0},
      {"FunctionLength", "vm/a.h", "class A {\n void f() const {\n" + body59 + "}\n};\n", 1},
      {"FunctionLength", "vm/a.h", "template <class T>\nvoid f(T) {\n" + body59 + "}\n", 1},
      {"FunctionLength", "vm/a.cc", "A::A(int b) : b_{b}, c_{{1}} {\n" + body59 + "}\n", 1},
      {"FunctionLength", "vm/a.cc", "A::A(int b) : b_(b) {\n" + body59 + "}\n", 1},
      {"FunctionLength", "vm/a.cc", "A::A(int b) : b_{b}, c_{} {}\n" + body59 + "\n", 0},
      {"FunctionLength", "vm/a.cc", "const char* kBraces = \"{\";\n" + body59 + "\n", 0},
      {"FunctionLength", "tests/a.cc", "TEST(A, B) {\n" + body59 + "}\n", 1},
      {"FunctionLength", "vm/a.cc", "constexpr A kTable[] = {\n" + body59 + "};\n", 0},
  };
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (const auto& part : {reach_samples(), prose_samples(), call_samples(), length_samples()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

class TidyRule : public ::testing::TestWithParam<Rule> {};

TEST_P(TidyRule, FindsWhatBreaksItAndNothingElse) {
  bool can_fail = false;
  for (const Sample& sample : samples()) {
    if (sample.rule != std::string(GetParam().name)) continue;
    Findings findings;
    GetParam().check(parse_source(sample.path, sample.text), findings);
    EXPECT_EQ(findings.size(), sample.findings) << sample.path << ":\n" << sample.text;
    can_fail |= sample.findings > 0;
  }
  EXPECT_TRUE(can_fail) << "no sample breaks this rule";
}

TEST_P(TidyRule, HoldsInTheTree) {
  static const std::vector<SourceFile> sources = load_sources(REVENANT_SOURCE_DIR);
  ASSERT_GT(sources.size(), 20U) << "the tree was not found at " REVENANT_SOURCE_DIR;
  for (const SourceFile& file : sources) {
    Findings findings;
    GetParam().check(file, findings);
    for (const Finding& finding : findings) {
      ADD_FAILURE() << file.path << ":" << finding.line << ": " << finding.sentence;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, TidyRule, ::testing::ValuesIn(rules()),
                         [](const auto& rule) { return std::string(rule.param.name); });

TEST(TidySamples, NameOnlyRulesThatExist) {
  for (const Sample& sample : samples()) {
    EXPECT_TRUE(std::ranges::any_of(rules(), [&](const Rule& rule) {
      return sample.rule == std::string(rule.name);
    })) << sample.rule;
  }
}

TEST(ShownBy, FindsRowsThatNameNoTest) {
  const std::vector<SourceFile> sources = {
      parse_source("tests/a/b_test.cc",
                   "TEST_P(B, Holds) {}\nauto c = Values(\"one\", \"two\");\n"),
      parse_source("tests/c/b/three.cc", "Case c{\"three\", three};\n"),
      parse_source("tests/a/other.cc", "Case c{\"four\", four};\n// TEST(B, Told)\n")};
  const std::vector<std::string> document = {"`B.Holds` and what is `B.Not` in a table",
                                             "| What | Shown by |",
                                             "|---|---|",
                                             "| a | `B.Holds`, `B: one two three` |",
                                             "| b `B.Holds` | |",
                                             "| c | `B.Told` |",
                                             "| d | `B: one four` |",
                                             "| e | `A: one` |",
                                             "",
                                             "| What | How |",
                                             "|---|---|",
                                             "| f | `B.Holds` |"};
  Findings findings;
  EXPECT_EQ(check_shown_by(document, sources, findings), 6U);
  std::vector<std::size_t> lines;
  for (const Finding& finding : findings) lines.push_back(finding.line);
  EXPECT_EQ(lines, (std::vector<std::size_t>{5, 6, 7, 8, 10}));
}

TEST(ShownBy, EveryRowOfWhatSurvivesHasItsTests) {
  std::ifstream file(REVENANT_SOURCE_DIR "/docs/what-survives.md");
  std::vector<std::string> document;
  for (std::string line; std::getline(file, line);) document.push_back(line);
  Findings findings;
  EXPECT_GT(check_shown_by(document, load_tests(REVENANT_SOURCE_DIR), findings), 50U);
  for (const Finding& finding : findings) {
    ADD_FAILURE() << "docs/what-survives.md:" << finding.line << ": " << finding.sentence;
  }
}

std::vector<std::string> documents() {
  std::vector<std::string> paths{"README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(REVENANT_SOURCE_DIR "/docs")) {
    if (entry.path().extension() == ".md")
      paths.push_back("docs/" + entry.path().filename().string());
  }
  return paths;
}

// Programs of bench/ are named as they are built.
TEST(Documents, NameOnlyFilesThatExist) {
  static const std::regex kPath(
      "`((?:base|vm|store|objects|runtime|cli|apps|bench|tests|cmake|scripts|packaging)/[\\w./"
      "-]*)`");
  const std::filesystem::path root = REVENANT_SOURCE_DIR;
  std::size_t named = 0;
  for (const std::string& path : documents()) {
    std::ifstream file(root / path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), kPath), end; at != end; ++at) {
      const std::string name = (*at)[1];
      ++named;
      EXPECT_TRUE(exists(root / name) || exists(root / (name + ".cc"))) << path << ": " << name;
    }
  }
  EXPECT_GT(named, 40U);
}

TEST(SourceFile, PartsCodeFromComments) {
  const SourceFile file = parse_source("vm/a.cc",
                                       "int a = 1'000;  // first \"quoted\"\n"
                                       "f(\"// no comment\", '\"', R\"x(/* nor\n"
                                       "this)x\");  /* second\n"
                                       "third */ g('\\'');\n");
  EXPECT_EQ(file.code,
            (std::vector<std::string>{"int a = 1'000;  ", "f(\"\", '', \"\"", ");  ", " g('');"}));
  EXPECT_EQ(file.comments,
            (std::vector<std::string>{"// first \"quoted\"", "", "/* second", "third */"}));
}

TEST(SourceFile, EveryViewHasEveryLine) {
  for (const SourceFile& file : load_sources(REVENANT_SOURCE_DIR)) {
    EXPECT_EQ(file.code.size(), file.raw.size()) << file.path;
    EXPECT_LE(file.comments.size(), file.raw.size()) << file.path;
  }
}

}  // namespace
}  // namespace revenant::tidy
