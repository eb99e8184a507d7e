// Other programs, started by green threads.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/sanitizer.h"
#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

class Programs : public ProgramTest {
 protected:
  static std::string contents(const std::string& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

// What a spawn is given, in the heap: after a restart each page of it is missing.
struct Request {
  std::string path = "sh";
  std::string option = "-c";
  std::string script = "echo \"$1 $NAME\"; grep SigBlk /proc/self/status; exit 5";
  std::string zero = "zero";
  std::string argument = std::string(5000, 'a');
  std::string variable = "NAME=value";
  char* arguments[6] = {path.data(), option.data(),   script.data(),
                        zero.data(), argument.data(), nullptr};
  char* environment[2] = {variable.data(), nullptr};
  posix_spawn_file_actions_t actions;

  // A sanitizer's libc is shared, and allocates what actions need outside: made once needed.
  void write_to(const std::string& output) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
};

TEST_F(Programs, AreSpawnedFromPagesThatARestartLeftMissing) {
  const std::string output = file("output");
  const auto main = [output] {
    const auto request = std::make_unique<Request>();
    sync();
    print("ready\n");
    while (generation() == 1) this_thread::sleep_for(1ms);
    request->write_to(output);
    pid_t child = -1;
    EXPECT_IN_CHILD(::posix_spawnp(&child, request->path.c_str(), &request->actions, nullptr,
                                   request->arguments, request->environment) == 0);
    int status = 0;
    EXPECT_IN_CHILD(::waitpid(child, &status, 0) == child);
    EXPECT_IN_CHILD(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    EXPECT_IN_CHILD(::posix_spawn(&child, "/nowhere/to/be/found", nullptr, nullptr,
                                  request->arguments, request->environment) == ENOENT);
    ::posix_spawn_file_actions_destroy(&request->actions);
    return 0;
  };
  expect_well(second_life(main));
  EXPECT_EQ(contents(output), std::string(5000, 'a') + " value\nSigBlk:\t0000000000000000\n");
}

#ifndef REVENANT_SANITIZED  // its libc keeps file actions outside of the space
// As exec does, and address randomisation: each process has its environment elsewhere.
void move_environment() {
  static const auto place = reinterpret_cast<void*>(0x5'0000'0000 + ::getpid() * 0x10'0000ull);
  auto* strings = static_cast<char*>(
      ::mmap(place, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  auto* pointers = reinterpret_cast<char**>(strings + 0x800);
  static constexpr char kOnly[] = "NAME=life";
  std::memcpy(strings, kOnly, sizeof kOnly);
  pointers[0] = strings;
  pointers[1] = nullptr;
  environ = pointers;
}

// Opening the pipe holds up the start until the test opens its other end.
TEST_F(Programs, AStartThatARestartCutOffHasTheEnvironmentOfThisProcess) {
  const std::string pipe = file("pipe");
  const std::string output = file("output");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto life = [&] {
    move_environment();
    options chosen;
    chosen.store = store();
    return run(chosen, [pipe, output] {
      thread other([] {
        while (generation() == 1) {
          this_thread::sleep_for(20ms);
          sync();
          print("waiting\n");
        }
      });
      Request request;
      request.script = "echo $NAME";
      request.arguments[2] = request.script.data();
      request.write_to(output);
      ::posix_spawn_file_actions_addopen(&request.actions, STDIN_FILENO, pipe.c_str(), O_RDONLY, 0);
      pid_t child = -1;
      EXPECT_IN_CHILD(::posix_spawn(&child, "/bin/sh", &request.actions, nullptr, request.arguments,
                                    environ) == 0);
      int status = 0;
      EXPECT_IN_CHILD(::waitpid(child, &status, 0) == child && status == 0);
      ::posix_spawn_file_actions_destroy(&request.actions);
      other.join();
      return 0;
    });
  };
  int both_ends = -1;
  {
    ChildProgram first(life);
    ASSERT_TRUE(first.says("waiting"));
    first.kill();
    // What it was starting outlives it: let go on, and write to a file that has no name any more.
    std::filesystem::remove(output);
    both_ends = ::open(pipe.c_str(), O_RDWR);
  }
  expect_well(ChildProgram(life).wait());
  ::close(both_ends);
  EXPECT_EQ(contents(output), "life\n");
}
#endif

// The highest that is open is one of the runtime's.
int highest_descriptor() {
  int highest = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    highest = std::max(highest, std::stoi(entry.path().filename().string()));
  }
  return highest;
}

TEST_F(Programs, ASpawnMayNotTakeTheRuntimesDescriptors) {
  expect_well(run_to_end(store(), [] {
    const int taken = highest_descriptor();
    EXPECT_IN_CHILD(taken > 64);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, taken, 5);
    char name[] = "true";
    char* arguments[] = {name, nullptr};
    pid_t child = -1;
    EXPECT_IN_CHILD(::posix_spawnp(&child, name, &actions, nullptr, arguments, environ) == EBADF);
    ::posix_spawn_file_actions_destroy(&actions);
    return 0;
  }));
}

// What lies at the numbers that a program gets and counts on.
std::string low_descriptors() {
  std::string names;
  for (int number = 3; number < 64; ++number) {
    std::error_code failed;
    names += std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(number), failed);
    names += "\n";
  }
  return names;
}

TEST_F(Programs, NoLowDescriptorIsTheRuntimes) {
  for (const char* tracker : {"async", "sync", "mprotect"}) {
    SCOPED_TRACE(tracker);
    const Ended ended = ChildProgram([&] {
                          options chosen;
                          chosen.store = file(tracker);
                          chosen.tracker = tracker;
                          return run(chosen, [] {
                            print("{}", low_descriptors());
                            return 0;
                          });
                        }).wait();
    expect_well(ended);
    for (const char* own : {"memfd:revenant", "userfaultfd", "eventpoll", "data.mdb", "pagemap"}) {
      EXPECT_EQ(ended.out.find(own), std::string::npos) << ended.out;
    }
  }
}

// While the command waits for a line, which it is told once the program has said that it goes on.
template <class Wait>
void expect_others_go_on(const std::filesystem::path& store, Wait wait) {
  ChildProgram child(store, [wait] {
    thread other([] {
      this_thread::sleep_for(20ms);
      sync();
      print("waiting\n");
    });
    return wait();
  });
  const bool went_on = child.says("waiting");
  child.tell("go\n");
  const Ended ended = child.wait();
  EXPECT_TRUE(went_on && ended.exit_code() == 0) << ended.out << ended.err;
}

TEST_F(Programs, AShellCommandLetsThreadsAndSnapshotsGoOn) {
  expect_others_go_on(store(), [] {
    int (*const run_shell)(const char*) = std::system;
    EXPECT_IN_CHILD(run_shell("read line; test \"$line\" = go && exit 3") == 3 << 8);
    EXPECT_IN_CHILD(run_shell(nullptr) != 0);
    return 0;
  });
}

TEST_F(Programs, APipedCommandLetsThreadsAndSnapshotsGoOn) {
  expect_others_go_on(store(), [] {
    FILE* output = ::popen("read line; echo got $line; exit 4", "r");
    EXPECT_IN_CHILD(output != nullptr);
    char line[16] = {};
    EXPECT_IN_CHILD(std::fgets(line, sizeof line, output) == line &&
                    line == std::string("got go\n"));
    EXPECT_IN_CHILD(std::fgets(line, sizeof line, output) == nullptr);
    EXPECT_IN_CHILD(::pclose(output) == 4 << 8);
    return 0;
  });
}

TEST_F(Programs, APipedCommandReadsWhatIsWritten) {
  const std::string output = file("output");
  expect_well(run_to_end(store(), [output] {
    FILE* first = ::popen(("cat > " + output).c_str(), "w");
    FILE* second = ::popen("cat > /dev/null", "w");  // must not hold the first one's pipe open
    EXPECT_IN_CHILD(first != nullptr && second != nullptr);
    EXPECT_IN_CHILD(std::fputs("written\n", first) >= 0);
    EXPECT_IN_CHILD(::pclose(first) == 0);
    EXPECT_IN_CHILD(::pclose(second) == 0);
    EXPECT_IN_CHILD(::popen("true", "x") == nullptr && errno == EINVAL);
    return 0;
  }));
  EXPECT_EQ(contents(output), "written\n");
}

// The store is left as by a crash: the next start execs again.
TEST_F(Programs, ExecPutsAnotherInPlace) {
  const auto main = [] {
    EXPECT_IN_CHILD(::execl("/nowhere/to/be/found", "x", nullptr) == -1 && errno == ENOENT);
    std::string option = "-c";
    std::string script = "echo $0; grep SigBlk /proc/self/status";
    std::string name = "replaced";
    char* const arguments[] = {name.data(), option.data(), script.data(), name.data(), nullptr};
    sync();
    ::execve("/bin/sh", arguments, environ);
    return 1;
  };
  for (int life = 0; life < 2; ++life) {
    const Ended ended = run_to_end(store(), main);
    expect_well(ended);
    EXPECT_EQ(ended.out, "replaced\nSigBlk:\t0000000000000000\n");
  }
}

}  // namespace
}  // namespace revenant::testing
