// SIGTERM and SIGINT take a last snapshot and exit 0, whenever and however often they come.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <thread>

#include "tests/runtime/program_test.h"

namespace revenant {
namespace {

using namespace std::chrono_literals;

using EndingSignals = testing::ProgramTest;
using testing::ChildProgram;
using testing::Ended;

// Shared with the child.
struct Flags {
  std::atomic<bool> busy;
  std::atomic<bool> go_on;
};
Flags* flags = nullptr;

TEST_F(EndingSignals, OnesThatFollowLeaveTheLastSnapshotAndTheExitCode) {
  void* shared = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  flags = new (shared) Flags{};
  ChildProgram child(store(), [] {
    flags->busy = true;
    while (!flags->go_on) {  // no safepoint: the last snapshot has to wait
    }
    for (;;) this_thread::sleep_for(1ms);
  });
  while (!flags->busy) std::this_thread::yield();
  for (const int signal : {SIGTERM, SIGTERM, SIGINT}) {
    child.send(signal);
    child.wait_until_signals_are_taken();
  }
  flags->go_on = true;
  const Ended ended = child.wait();
  expect_well(ended);
  EXPECT_NE(ended.err.find("a last snapshot is being taken"), std::string::npos) << ended.err;
  ::munmap(shared, 4096);
}

TEST_F(EndingSignals, OneThatComesWhileTheStoreIsOpenedWaits) {
  const auto main = [] {
    print("ready\n");
    for (;;) this_thread::sleep_for(1ms);
  };
  {
    ChildProgram first(store(), main);
    ASSERT_TRUE(first.says("ready"));
    first.send(SIGTERM);
    expect_well(first.wait());
  }
  // What the next start reads first is given to it only after the signal.
  const std::filesystem::path identity = store() / "identity";
  const std::filesystem::path aside = file("identity");
  std::filesystem::rename(identity, aside);
  ASSERT_EQ(::mkfifo(identity.c_str(), 0600), 0);
  ChildProgram second(store(), main);
  const int pipe = ::open(identity.c_str(), O_WRONLY);
  second.send(SIGTERM);
  std::ifstream stream(aside, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::rename(aside, identity);
  std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(::write(pipe, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::close(pipe);
  expect_well(second.wait());
}

}  // namespace
}  // namespace revenant
