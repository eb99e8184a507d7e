// What cannot work is refused before it is linked, each in its own sentence.
#include <gmock/gmock.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/crash/run_to_end.h"
#include "tests/support/temporary_directory.h"

namespace revenant {
namespace {

using ::testing::HasSubstr;

struct Refusal {
  const char* arguments;  // of revenant_add_app
  const char* sentence;
};

class RefusalsTest : public ::testing::Test {
 protected:
  // What is said, in one line: CMake breaks sentences where it likes.
  std::string configure(const std::string& arguments, const std::string& more = "-DNONE=") const {
    static const std::string kSource = OUTSIDE "/refusals";
    static const std::string kPrefix = "-DCMAKE_PREFIX_PATH=" PREFIX;
    return said({CMAKE, "-S", kSource, "-B", build_.path(), "-G", GENERATOR, kPrefix,
                 "-DARGUMENTS=" + arguments, more});
  }
  std::string build() const { return said({CMAKE, "--build", build_.path(), "--target", "app"}); }

 private:
  static std::string said(const std::vector<std::string>& command) {
    const crash::Outcome outcome = crash::run_to_end(command);
    std::string all = outcome.exit_code == 0 ? "nothing is refused" : "";
    for (const auto& line : outcome.output) all += " " + line;
    for (const auto& line : outcome.errors) all += " " + line;
    std::istringstream words(all);
    std::string one_line;
    for (std::string word; words >> word;) one_line += word + " ";
    return one_line;
  }

  const testing::TemporaryDirectory build_;
};

TEST_F(RefusalsTest, AtConfigureTime) {
  constexpr Refusal kRefusals[] = {
      {"LINK m", "revenant_add_app(app): there are no SOURCES; name at least one file."},
      {"SOURCES empty.cc LINK", "nothing is refused"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF", "PERSIST_GLOBALS_OF names no library"},
      {"SOURCES empty.cc PERSIST_GLOBAL", "Cannot find source file:"},
      {"SOURCES empty.cc LINK shared", "the target shared is a shared library, whose code moves"},
      {"SOURCES empty.cc LINK imported", "/usr/lib/libimported.so.1 is a shared library, whose"},
      {"SOURCES empty.cc LINK /usr/lib/libx.so", "/usr/lib/libx.so is a shared library, whose"},
      {"SOURCES empty.cc LINK /none/libx.a", "/none/libx.a does not exist; install the package"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF -lnone", "there is no libnone.a; install the package"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF none.a", "/refusals/none.a does not exist; install"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF header", "the target header has no objects of its own"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF shared", "the target shared is a shared library"},
      {"SOURCES $<TARGET_OBJECTS:optimised> PERSIST_GLOBALS",
       "is for files that are compiled here"},
  };
  for (const Refusal& refusal : kRefusals) {
    EXPECT_THAT(configure(refusal.arguments), HasSubstr(refusal.sentence)) << refusal.arguments;
  }
}

TEST_F(RefusalsTest, BeforeLinking) {
  constexpr Refusal kRefusals[] = {
      {"SOURCES empty.cc PERSIST_GLOBALS_OF thread_local",
       "libthread_local.a(thread_local.c.o) has the thread local of_each_thread, and thread locals "
       "cannot persist;"},
      {"SOURCES thread_local.cc PERSIST_GLOBALS",
       "thread_local.cc.o has the thread local of_each_thread, and thread locals cannot persist;"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF own_section",
       "libown_section.a(own_section.c.o) keeps variables in a section of its own, elsewhere,"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF optimised",
       "liboptimised.a(plain.c.o) holds no machine code (it was compiled with -flto);"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF ${thin}", "libthin.a is a thin archive,"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF pthread", "the globals of libpthread.a belong to each"},
      {"SOURCES empty.cc PERSIST_GLOBALS_OF -lm", "the globals of libm.a belong to each process"},
      {"SOURCES own_new.cc", "multiple definition of `operator new(unsigned long)'"},
  };
  for (const Refusal& refusal : kRefusals) {
    ASSERT_THAT(configure(refusal.arguments), HasSubstr("nothing is refused")) << refusal.arguments;
    EXPECT_THAT(build(), HasSubstr(refusal.sentence)) << refusal.arguments;
  }
}

TEST_F(RefusalsTest, GlobalsThatCannotBeLookedAt) {
  for (const char* readelf : {"/bin/false", "/none/readelf"}) {
    ASSERT_THAT(configure("SOURCES empty.cc PERSIST_GLOBALS_OF own_section",
                          std::string("-DCMAKE_READELF=") + readelf),
                HasSubstr("nothing is refused"));
    EXPECT_THAT(build(), HasSubstr(std::string("its globals cannot be looked at, since ") +
                                   readelf + " did not read all of them"));
  }
}

}  // namespace
}  // namespace revenant
