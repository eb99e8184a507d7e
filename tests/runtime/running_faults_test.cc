// What happens to a running program when its store's disk, place or file fails it: it says so once,
// goes on while it can, and nothing that was committed is lost.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/userfaultfd.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/exit_code.h"
#include "base/sanitizer.h"
#include "base/units.h"
#include "store/store.h"
#include "store/verify.h"
#include "tests/runtime/program_test.h"
#include "tests/runtime/small_disk.h"
#include "tests/support/refused_call.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class RunningFaults : public ProgramTest {};

// Nothing that would compress, or equal what was there.
std::vector<std::uint64_t> noise(std::size_t mib) {
  std::vector<std::uint64_t> words(mib << 17);
  std::mt19937_64 random(mib);
  for (std::uint64_t& word : words) word = random();
  return words;
}

// "synced", or what sync() threw.
std::string try_to_sync() {
  try {
    sync();
    return "synced";
  } catch (const error& failure) {
    return failure.code().message() + ": " + failure.what();
  }
}

void wait_for_a_line() {
  char line[16];
  (void)!::read(STDIN_FILENO, line, sizeof line);
}

template <class F>
int run_on(const std::filesystem::path& store, F main) {
  options chosen;
  chosen.store = store;
  chosen.snapshot_every = 10ms;
  return run(chosen, main);
}

const SmallDisk* the_disk = nullptr;

TEST_F(RunningFaults, AFullDiskIsSaidOnceAndSnapshotsResumeWhenThereIsRoom) {
  const SmallDisk disk(store(), 8);
  the_disk = &disk;  // no capture of main's may lead to the test's stack
  ChildProgram program([&] {
    disk.enter();
    disk.fill_up_to(3);
    return run_on(store() / "s", [] {
      const int kept = 42;
      print("{}\n", try_to_sync());
      const auto words = noise(4);
      for (int i = 0; i < 3; ++i) print("{}\n", try_to_sync());
      print("goes on\n");
      wait_for_a_line();
      the_disk->make_room();
      while (try_to_sync() != "synced") this_thread::sleep_for(1ms);
      print("{} {}\n", kept, words.back());
    });
  });
  program.tell("\n");
  const Ended ended = program.wait();
  expect_well(ended);
  EXPECT_THAT(ended.out, HasSubstr("synced\nno space left: "));
  EXPECT_THAT(ended.out, HasSubstr(disk.what_is_said() + "\n"));
  EXPECT_THAT(ended.out, HasSubstr("goes on\n42 " + std::to_string(noise(4).back())));
  const std::string sentence = "the program goes on, and the snapshot is tried again";
  ASSERT_THAT(ended.err, HasSubstr(sentence));
  EXPECT_EQ(ended.err.find(sentence), ended.err.rfind(sentence)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("snapshots are being written again"));
}

TEST_F(RunningFaults, WhatWasCommittedBeforeTheDiskWasFullIsThereAfterAKill) {
  const SmallDisk disk(store(), 4);
  ChildProgram program([&] {
    disk.enter();
    const auto main = [] {
      int kept = 1;
      sync();
      kept = 2;
      sync();
      if (generation() == 1) {
        const auto words = noise(5);
        if (try_to_sync() != "synced") raise(SIGKILL);
      }
      print("{}\n", kept);
    };
    const pid_t first = ::fork();
    if (first == 0) ::_exit(run_on(store() / "s", main));
    int status = 0;
    ::waitpid(first, &status, 0);
    if (!WIFSIGNALED(status)) return 99;
    return run_on(store() / "s", main);
  });
  const Ended ended = program.wait();
  expect_well(ended);
  EXPECT_EQ(ended.out, "2\n");
}

TEST_F(RunningFaults, ASyncThatNobodyCatchesEndsWithTheCodeOfItsError) {
  const Ended ended = ChildProgram([&] {
                        return run_on(store(), [] {
                          sync();
                          const rlimit limit{1 << 20, 1 << 20};
                          ::setrlimit(RLIMIT_FSIZE, &limit);
                          const auto words = noise(3);
                          sync();
                        });
                      }).wait();
  EXPECT_EQ(ended.exit_code(), 15);
  EXPECT_THAT(ended.err, HasSubstr("thread 1 'main' let an exception leave its function, "
                                   "revenant::error: the store " +
                                   store().string()));
  EXPECT_THAT(ended.err, HasSubstr("File too large; raise the limit of file sizes (ulimit -f)"));
  EXPECT_THAT(ended.err, HasSubstr("stays as last committed (revision 1)"));
}

TEST_F(RunningFaults, AStoreThatIsMovedAwayIsMissedAndTakenUpAgain) {
  ChildProgram program(store(), [] {
    print("{}\n", try_to_sync());
    wait_for_a_line();
    print("{}\n", try_to_sync());
    wait_for_a_line();
    while (try_to_sync() != "synced") this_thread::sleep_for(1ms);
    print("back\n");
  });
  ASSERT_TRUE(program.says("synced\n"));
  std::filesystem::rename(store(), file("elsewhere"));
  program.tell("\n");
  ASSERT_TRUE(program.says("input or output failed: "));
  ASSERT_TRUE(program.says("or end the program\n"));
  std::filesystem::rename(file("elsewhere"), store());
  program.tell("\n");
  const Ended ended = program.wait();
  expect_well(ended);
  EXPECT_THAT(ended.out, AllOf(HasSubstr(": it was removed or moved away, and what is committed"),
                               HasSubstr("back\n")));
  EXPECT_THAT(ended.err, HasSubstr("snapshots are being written again"));
}

TEST_F(RunningFaults, AStoreThatIsReplacedIsNotTakenForItsOwn) {
  ChildProgram program(store(), [] {
    print("{}\n", try_to_sync());
    wait_for_a_line();
    print("{}\n", try_to_sync());
    std::exit(0);
  });
  ASSERT_TRUE(program.says("synced\n"));
  std::filesystem::rename(store(), file("elsewhere"));
  std::filesystem::copy(file("elsewhere"), store());
  program.tell("\n");
  const Ended ended = program.wait();
  EXPECT_THAT(ended.out, HasSubstr(": another one lies in its place, and what is committed"));
}

TEST_F(RunningFaults, ADataFileThatIsCutUnderItIsNamed) {
  ChildProgram program(store(), [] {
    const auto words = noise(1);
    print("{}\n", try_to_sync());
    wait_for_a_line();
    print("{} {}\n", try_to_sync(), words.size());
  });
  ASSERT_TRUE(program.says("synced\n"));
  std::filesystem::resize_file(store() / "data.mdb", 8192);
  program.tell("\n");
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code(), 3) << ended.err;
  // What was cut off is not there, or holes by now, where a commit has written beyond them.
  EXPECT_THAT(ended.err, AnyOf(HasSubstr("cannot read data.mdb of the store " + store().string() +
                                         ": it was cut short, or its disk cannot be read (SIGBUS)"),
                               HasSubstr("the store " + store().string() + " is damaged")));
  EXPECT_THAT(ended.err, HasSubstr("nothing was written over it"));
}

// The first snapshot after a start looks at data.mdb's pages before it writes. A disk that does not
// give them says nothing of what is on them.
TEST_F(RunningFaults, APageThatCannotBeReadIsNoDamage) {
  const auto life = [] {
    die_here();
    refuse_argument(SYS_pread64, 2, base::kPageSize, EIO);
    print("{}\n", try_to_sync());
    print("{}\n", try_to_sync());
    std::exit(0);
  };
  {
    ChildProgram first(store(), life);
    ASSERT_TRUE(first.says("ready"));
    first.kill();
  }
  const Ended ended = ChildProgram(store(), life, 0s).wait();
  const std::string sentence = "reading " + (store() / "data.mdb").string() +
                               " failed: Input/output error; check the path, its permissions and "
                               "its disk";
  EXPECT_NE(ended.exit_code(), base::kFindings) << ended.err;
  const std::string told = "input or output failed: " + sentence + "\n";
  EXPECT_THAT(ended.out, HasSubstr(told + told));
  EXPECT_THAT(ended.err, HasSubstr(sentence + "; the program goes on, and the snapshot is tried "
                                              "again"));
  const auto reader = store::StoreReader::open(store());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  const auto verified = store::verify_all((*reader)->history(), {});
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->findings, 0u);
}

#ifdef REVENANT_SANITIZED  // the sanitizer reports a SIGSEGV that is not served itself
constexpr const char* kTrackers[] = {"async", "sync"};
#else
constexpr const char* kTrackers[] = {"async", "sync", "mprotect"};
#endif

// As when a cgroup's limit is reached and the kernel fills no page, or gives no mapping.
TEST_F(RunningFaults, NoMemoryForAPageIsNamed) {
  for (const char* tracker : kTrackers) {
    SCOPED_TRACE(tracker);
    const Ended ended = ChildProgram([&] {
                          options chosen;
                          chosen.store = file(tracker);
                          chosen.tracker = tracker;
                          return run(chosen, [] {
                            sync();
                            refuse_ioctl(UFFDIO_COPY, ENOMEM);
                            refuse_ioctl(UFFDIO_ZEROPAGE, ENOMEM);
                            refuse_argument(SYS_mprotect, 2, PROT_READ, ENOMEM);
                            refuse_argument(SYS_mprotect, 2, PROT_READ | PROT_WRITE, ENOMEM);
                            const auto words = noise(8);
                            print("{}\n", words.size());
                          });
                        }).wait();
    EXPECT_EQ(ended.exit_code(), 1) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("the host has no memory left for the page"));
    EXPECT_THAT(ended.err, HasSubstr("stays as last committed"));
  }
}

// Sanitizers map terabytes.
#ifndef REVENANT_SANITIZED
void limit_data(rlim_t bytes) {
  const rlimit soft{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_DATA, &soft);
}

rlim_t data_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  rlim_t kib = 0;
  while (status >> word) {
    if (word == "VmData:") status >> kib;
  }
  return kib << 10;
}

TEST_F(RunningFaults, NoMemoryForASnapshotIsSaidAndSnapshotsResume) {
  const auto life = [&] {
    return ChildProgram(
               store(),
               [] {
                 constexpr std::size_t kPages = 40'000;
                 constexpr std::size_t kStride = 512;
                 print("{}\n", try_to_sync());
                 ::malloc_trim(0);  // what other tests of the process have left
                 limit_data(data_bytes());
                 std::vector<std::uint64_t> words(kPages * kStride);
                 for (std::size_t i = 0; i < kPages; ++i) words[i * kStride] = i + 1;
                 print("{}\n", try_to_sync());
                 limit_data(RLIM_INFINITY);
                 const pid_t first_life = ::getpid();
                 while (try_to_sync() != "synced") this_thread::sleep_for(1ms);
                 if (::getpid() == first_life) ::kill(first_life, SIGKILL);
                 std::size_t kept = 0;
                 for (std::size_t i = 0; i < kPages; ++i) kept += words[i * kStride] == i + 1;
                 print("{} pages kept\n", kept);
                 return 0;
               },
               0s)
        .wait();
  };
  const Ended first = life();
  EXPECT_EQ(first.status, SIGKILL) << first.err;
  EXPECT_THAT(first.out, HasSubstr("synced\nno space left: a snapshot needs memory that the host "
                                   "refuses: the limit of its data is "));
  EXPECT_THAT(first.out, HasSubstr(" MiB; lift it (ulimit -d unlimited)\n"));
  const Ended second = life();
  expect_well(second);
  EXPECT_THAT(second.out, HasSubstr("40000 pages kept\n"));
}
#endif

}  // namespace
}  // namespace revenant::testing
