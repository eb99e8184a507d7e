// When snapshots are taken, seen from inside a program: under load, after failures, and not at all
// when nothing happens.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "runtime/elsewhere.h"
#include "runtime/machine.h"
#include "tests/runtime/in_child.h"
#include "tests/runtime/program_test.h"
#include "vm/scratch_pages_linux.h"

namespace revenant::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kOnRequest{0};

runtime::Snapshotter& snapshotter() { return runtime::Machine::instance().snapshotter(); }
std::uint64_t stops() { return snapshotter().pauses().count(); }
base::Epoch durable() { return snapshotter().durable(); }

// Sixteen MiB whose pages all say the same, and are all written between two safepoints.
class Stamped {
 public:
  static constexpr std::size_t kPages = 4096;

  void stamp(std::uint64_t version) {
    for (std::size_t page = 0; page < kPages; ++page)
      words_[page * kWords + page % kWords] = version;
  }
  [[nodiscard]] bool all_say(std::uint64_t version) const {
    for (std::size_t page = 0; page < kPages; ++page) {
      if (words_[page * kWords + page % kWords] != version) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kWords = 512;
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(kPages * kWords);
};

class Snapshots : public ProgramTest {
 protected:
  // Runs `main` until it has said a line, kills it and has it go on; returns what both said.
  template <class F>
  std::string over_a_kill(F main) {
    ChildProgram first(store(), main, kOnRequest);
    EXPECT_TRUE(first.says("\n"));
    first.kill();
    const std::string said = first.wait().out;
    const Ended second = ChildProgram(store(), main, kOnRequest).wait();
    EXPECT_EQ(second.exit_code(), 0) << second.err;
    return said + second.out;
  }
};

// Writes everything between the request to stop and the stop, `bursts` times, for one snapshot.
auto bursts_program(int bursts) {
  return [bursts] {
    struct {
      Stamped pages;
      std::uint64_t version = 0;
    } state;
    const std::uint64_t first_stop = stops();
    const std::uint64_t life = generation();
    const base::Epoch before = durable();
    snapshotter().request();
    for (int i = 0; i < bursts; ++i) {
      while (!detail::stop_requested.load() && durable() == before) {
      }
      state.pages.stamp(++state.version);
      safepoint();
    }
    while (durable() == before) this_thread::yield();
    if (generation() == life) {
      print("stops {}\n", stops() - first_stop);
      this_thread::sleep_for(1h);
    }
    print("{} at {}\n", state.pages.all_say(state.version) ? "whole" : "torn", state.version);
    return 0;
  };
}

TEST_F(Snapshots, GivesUpAStopThatFindsTooMuchAndCopiesItWhileTheProgramRuns) {
  EXPECT_EQ(over_a_kill(bursts_program(1)), "stops 2\nwhole at 1\n");
}

TEST_F(Snapshots, StopsAProgramThatWritesFasterThanItIsCopiedAllTheSame) {
  EXPECT_EQ(over_a_kill(bursts_program(6)), "stops 6\nwhole at 6\n");
}

// No file of this process grows beyond `bytes`.
void limit_file_size(rlim_t bytes) {
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

TEST_F(Snapshots, TakesAFailedSnapshotAgainWithoutBeingAskedAgain) {
  static std::string data;
  data = (store() / "data.mdb").string();
  const Ended ended = ChildProgram(
                          store(),
                          [] {
                            sync();
                            bool committed = false;
                            Stamped pages;
                            pages.stamp(7);
                            limit_file_size(std::filesystem::file_size(data));
                            after_commit([&committed] { committed = true; });
                            bool refused = false;
                            try {
                              sync();
                            } catch (const error&) {
                              refused = true;
                            }
                            EXPECT_IN_CHILD(refused && !committed);
                            limit_file_size(RLIM_INFINITY);
                            for (int i = 0; i < 2000 && !committed; ++i) {
                              this_thread::sleep_for(10ms);
                            }
                            EXPECT_IN_CHILD(committed && pages.all_say(7));
                            return 0;
                          },
                          kOnRequest)
                          .wait();
  expect_well(ended);
}

// As a tag's, from a green thread.
struct JobWithoutMemory {
  void run() {
    status = snapshotter().run_job([](void*) -> base::Status { throw std::bad_alloc(); }, nullptr);
  }
  base::Status status;
};

TEST_F(Snapshots, TellsWhoGaveAJobThatThereWasNoMemoryForIt) {
  expect_well(run_to_end(store(), [] {
    runtime::Elsewhere<JobWithoutMemory> job;
    EXPECT_IN_CHILD(job.run_on_worker());
    EXPECT_IN_CHILD(job->status.error().code == base::ErrorCode::kNoSpace);
    EXPECT_IN_CHILD(tag("later") > 0);
    return 0;
  }));
}

TEST_F(Snapshots, LeavesAProgramAloneThatHasFreedWhatItWroteAllTheTime) {
  expect_well(ChildProgram(
                  store(),
                  [] {
                    auto block = std::make_unique<std::vector<char>>(160 * 1024);
                    const base::Epoch first = durable();
                    while (durable().value < first.value + 20) {
                      for (std::size_t at = 0; at < block->size(); at += 64) ++(*block)[at];
                      safepoint();
                    }
                    block.reset();
                    // While it sleeps there is nothing to write but its going to sleep.
                    for (int i = 0; i < 100; ++i) {
                      const base::Epoch before = durable();
                      this_thread::sleep_for(100ms);
                      if (durable().value - before.value <= 2) return 0;
                    }
                    return 1;
                  },
                  5ms)
                  .wait());
}

// Two trackers, each of which refuses a first write by a signal.
class TrappedWrites : public ProgramTest, public ::testing::WithParamInterface<const char*> {
 protected:
  // How many of 16 pages still refuse a write, of a program that has changed them in each of five
  // snapshots, `pause` after the one before.
  int refused(std::chrono::nanoseconds pause, std::chrono::nanoseconds pause_target) {
    return ChildProgram([&] {
             options chosen;
             chosen.store = store();
             chosen.tracker = GetParam();
             chosen.snapshot_every = kOnRequest;
             chosen.pause_target = pause_target;
             return run(chosen, [pause] {
               constexpr std::size_t kPages = 16;
               alignas(base::kPageSize) char pages[kPages][base::kPageSize];
               for (char version = 1; version <= 5; ++version) {
                 for (auto& page : pages) page[0] = version;
                 this_thread::sleep_for(pause);
                 sync();
               }
               return static_cast<int>(std::ranges::count_if(pages, [](auto& page) {
                 return !vm::kernel_writes_to(base::PageNumber::of(page));
               }));
             });
           })
        .wait()
        .exit_code();
  }
};

TEST_P(TrappedWrites, ArePaidOnceWhereThePagesChangeInEverySnapshot) {
  EXPECT_EQ(refused(0ms, 1s), 0);
}

TEST_P(TrappedWrites, ArePaidAgainWhereTheyAreFewAndPausesHaveToBeShort) {
  EXPECT_EQ(refused(20ms, 1ns), 16);
}

INSTANTIATE_TEST_SUITE_P(Trackers, TrappedWrites, ::testing::Values("sync", "mprotect"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace revenant::testing
