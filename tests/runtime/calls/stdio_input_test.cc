// Reading by stdio: what is read, and who goes on meanwhile.
#include <ext/stdio_sync_filebuf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <istream>
#include <string>

#include "tests/runtime/child_program.h"
#include "tests/runtime/in_child.h"
#include "tests/support/temporary_directory.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

std::string by_getchar() {
  std::string line;
  for (int each; (each = std::getchar()) != EOF && each != '\n';) line += static_cast<char>(each);
  return line;
}

std::string by_fgets() {
  char line[64] = {};
  return std::fgets(line, sizeof line, stdin) == line ? std::string(line, std::strlen(line) - 1)
                                                      : "";
}

std::string by_getline() {
  char* line = nullptr;
  std::size_t capacity = 0;
  const ssize_t size = ::getline(&line, &capacity, stdin);
  std::string text = size > 0 ? std::string(line, static_cast<std::size_t>(size) - 1) : "";
  std::free(line);
  return text;
}

std::string by_fread() {
  char text[12] = {};
  return std::fread(text, 1, sizeof text, stdin) == sizeof text ? std::string(text, 11) : "";
}

std::string by_scanf() {
  char word[16] = {};
  int number = 0;
  return std::scanf("%15s %d", word, &number) == 2 ? word + (" " + std::to_string(number)) : "";
}

// What std::cin is while it is synchronised with stdio, as it is at first.
std::string by_istream() {
  __gnu_cxx::stdio_sync_filebuf<char> buffer(stdin);
  std::istream stream(&buffer);
  std::string word;
  int number = 0;
  stream >> word >> number;
  return stream.good() ? word + (" " + std::to_string(number)) : "";
}

struct Reader {
  const char* name;
  std::string (*read)();
};

class StdioInput : public ::testing::TestWithParam<Reader> {
 protected:
  std::filesystem::path store() const { return directory_ / "store"; }
  std::string flag() const { return (directory_ / "flag").string(); }

  // Tells the first half, and returns once it was read and a snapshot was taken after that.
  void tell_half(ChildProgram& child) const {
    child.tell("apples 1");
    child.wait_until_read();
    const std::ofstream raised(flag());
    ASSERT_TRUE(child.says("half"));
  }

 private:
  TemporaryDirectory directory_;
};

// What goes on while a thread waits for input: snapshots, and a thread that waits for the flag.
void say_half_way(const std::string& flag) {
  sync();
  print("waiting\n");
  while (::access(flag.c_str(), F_OK) != 0) this_thread::sleep_for(1ms);
  sync();
  print("half\n");
}

TEST_P(StdioInput, AWaitLetsThreadsAndSnapshotsGoOn) {
  ChildProgram child(store(), [read = GetParam().read, flag = flag()] {
    std::string got;
    thread reader([&] { got = read(); });
    say_half_way(flag);
    reader.join();
    print("{}\n", got);
    return 0;
  });
  ASSERT_TRUE(child.says("waiting"));
  tell_half(child);
  child.tell("234\n");
  const Ended ended = child.wait();
  EXPECT_EQ(ended.exit_code(), 0) << ended.err;
  EXPECT_EQ(ended.out, "waiting\nhalf\napples 1234\n") << ended.err;
}

TEST_P(StdioInput, WhatWasReadSurvivesARestart) {
  const auto main = [read = GetParam().read, flag = flag()] {
    thread other([flag] { say_half_way(flag); });
    const std::string got = read();
    EXPECT_IN_CHILD(generation() == 2);
    print("{}\n", got);
    return 0;
  };
  {
    ChildProgram first(store(), main);
    tell_half(first);
    first.kill();
  }
  ChildProgram second(store(), main);
  second.tell("234\n");
  const Ended ended = second.wait();
  EXPECT_EQ(ended.exit_code(), 0) << ended.err;
  EXPECT_NE(ended.out.find("apples 1234\n"), std::string::npos) << ended.out;
}

INSTANTIATE_TEST_SUITE_P(All, StdioInput,
                         ::testing::Values(Reader{"getchar", by_getchar}, Reader{"fgets", by_fgets},
                                           Reader{"getline", by_getline}, Reader{"fread", by_fread},
                                           Reader{"scanf", by_scanf},
                                           Reader{"istream", by_istream}),
                         [](const auto& info) { return std::string(info.param.name); });

// Everything after the last whole piece: ends, and what a scan leaves for the next.
TEST(StdioEnd, EndsAndLeftoversAreAsLibcs) {
  TemporaryDirectory directory;
  ChildProgram child(directory / "store", [] {
    int number = 0;
    EXPECT_IN_CHILD(std::scanf("%d", &number) == 1 && number == 12);
    EXPECT_IN_CHILD(std::getchar() == 'x');
    EXPECT_IN_CHILD(std::scanf("%d", &number) == 0);
    EXPECT_IN_CHILD(std::ungetc('-', stdin) == '-');
    char rest[16] = {};
    EXPECT_IN_CHILD(std::fgets(rest, sizeof rest, stdin) == rest);
    EXPECT_IN_CHILD(rest == std::string("-yz\n"));
    EXPECT_IN_CHILD(std::fgets(rest, 3, stdin) == rest && rest == std::string("en"));
    EXPECT_IN_CHILD(by_getline().empty());
    EXPECT_IN_CHILD(std::feof(stdin) != 0);
    EXPECT_IN_CHILD(std::getchar() == EOF && std::scanf("%d", &number) == EOF);
    return 0;
  });
  child.tell("12xyz\nend");
  child.close_stdin();
  const Ended ended = child.wait();
  EXPECT_EQ(ended.exit_code(), 0) << ended.out << ended.err;
}

}  // namespace
}  // namespace revenant::testing
