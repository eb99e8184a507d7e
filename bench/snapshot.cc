// bench/snapshot: how long a snapshot stops a program, and what it costs while it runs.
//
// Each case is a program of its own, started by this one against a real store: a heap, one green
// thread that writes 8 random bytes at a time, a snapshot at each tick, committed. In one run the
// snapshots are switched off and on in turns; `throughput` is the median of writes a second with
// them over the median without. Pauses are those of the snapshots that were on. REVENANT_TRACKER
// chooses the tracker, as it does for every program.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "bench/support/report.h"
#include "revenant/revenant.h"
#include "runtime/machine.h"
#include "tests/support/temporary_directory.h"

namespace revenant::bench {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPagesPerMiB = (1 << 20) / kPageBytes;

struct Case {
  const char* name;
  std::size_t heap_mib;
  bool hot;  // writes go to the first hundredth of the pages; otherwise anywhere
  nanoseconds every;
  std::size_t idle_threads;
};

constexpr Case kCases[] = {
    {"hot256", 256, true, milliseconds(10), 0},
    {"hot256_1ms", 256, true, milliseconds(1), 0},
    {"hot256_idle100k", 256, true, milliseconds(10), 100'000},
    {"hot1024", 1024, true, milliseconds(10), 0},
    {"scatter1024", 1024, false, milliseconds(100), 0},
};

double percentile(std::vector<std::uint32_t> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// The program: writes, and counts, until the phase's time is over.
class Mutator {
 public:
  Mutator(std::size_t pages, bool hot) : target_pages_(hot ? pages / 100 : pages) {
    memory_ = static_cast<char*>(std::malloc(pages * kPageBytes));
    REVENANT_CHECK(memory_ != nullptr);
    for (std::size_t page = 0; page < pages; ++page) {
      memory_[page * kPageBytes] = 1;
      if (page % 64 == 0) safepoint();
    }
  }

  // Writes a second.
  double run_for(nanoseconds length) {
    const auto start = steady_clock::now();
    std::uint64_t writes = 0;
    while (steady_clock::now() - start < length) {
      for (int block = 0; block < 256; ++block, writes += 64) {
        for (int i = 0; i < 64; ++i) write_once();
        safepoint();
      }
    }
    return static_cast<double>(writes) / duration<double>(steady_clock::now() - start).count();
  }

 private:
  void write_once() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const std::size_t page = (random_ >> 8) % target_pages_;
    auto* words = reinterpret_cast<std::uint64_t*>(memory_ + page * kPageBytes);
    words[(random_ >> 40) & 511] = random_;
    for (int think = 0; think < 20; ++think) asm volatile("");
  }

  std::size_t target_pages_;
  char* memory_;
  std::uint64_t random_ = 88172645463325252ull;
};

struct Outcome {
  std::vector<double> without;
  std::vector<double> with;
  std::vector<std::uint32_t> pauses_us;
};

Outcome alternate(Mutator& mutator, int turns, nanoseconds phase) {
  runtime::Snapshotter& snapshotter = runtime::Machine::instance().snapshotter();
  Outcome outcome;
  for (int turn = 0; turn < turns; ++turn) {
    snapshotter.hold(true);
    outcome.without.push_back(mutator.run_for(phase));
    snapshotter.hold(false);
    mutator.run_for(phase / 4);  // the set of hot pages is found anew
    const std::uint64_t first = snapshotter.pauses().count();
    outcome.with.push_back(mutator.run_for(2 * phase));
    const auto pauses = snapshotter.pauses().since(first);
    outcome.pauses_us.insert(outcome.pauses_us.end(), pauses.begin(), pauses.end());
  }
  return outcome;
}

const runtime::PauseLog& pauses() { return runtime::Machine::instance().snapshotter().pauses(); }

// Runs until the program is in its stride: what start-up dirtied is written, hot pages and cold
// chunks are known.
void settle(Mutator& mutator, nanoseconds least, std::uint64_t snapshots) {
  const std::uint64_t first = pauses().count();
  mutator.run_for(least);
  for (int i = 0; i < 100 && pauses().count() - first < snapshots; ++i) mutator.run_for(least / 20);
}

double median_fork_us(int times) {
  std::vector<double> samples;
  for (int i = 0; i < times; ++i) {
    const auto start = steady_clock::now();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    samples.push_back(duration<double, std::micro>(steady_clock::now() - start).count());
    REVENANT_CHECK(child > 0);
    ::waitpid(child, nullptr, 0);
  }
  return median(samples);
}

// Median time of fork() of this process, in us; the child ends at once. On the worker's own stack:
// green threads cannot fork.
double fork_us(int times) {
  struct Call {
    int times;
    double us;
    static void run(void* call) {
      static_cast<Call*>(call)->us = median_fork_us(static_cast<Call*>(call)->times);
    }
  } call{times, 0};
  runtime::Machine::instance().scheduler().call_outside(Call::run, &call);
  return call.us;
}

void sleep_until_stopped(std::stop_token token) {
  mutex lock;
  condition_variable never;
  std::unique_lock held(lock);
  never.wait(held, std::move(token), [] { return false; });
}

void measure(const Case& measured, const Report& report) {
  const std::size_t mib = report.smoke() ? 8 : measured.heap_mib;
  const std::uint64_t first_pause = pauses().count();
  std::vector<thread> idle(report.smoke() ? measured.idle_threads / 1000 : measured.idle_threads);
  for (thread& each : idle) {
    each = thread({.name = "idle", .stack_size = std::size_t{16} * 1024}, sleep_until_stopped);
    safepoint();
  }
  Mutator mutator(mib * kPagesPerMiB, measured.hot);
  const nanoseconds phase = report.smoke() ? milliseconds(50) : milliseconds(2000);
  settle(mutator, phase, report.smoke() ? 2 : 200);
  const auto settling_us = pauses().since(first_pause);
  const Outcome outcome = alternate(mutator, report.smoke() ? 1 : 4, phase);
  const double p50 = percentile(outcome.pauses_us, 0.5);
  report.add({measured.name, "pause_p50", p50, "us"});
  report.add({measured.name, "pause_p99", percentile(outcome.pauses_us, 0.99), "us"});
  report.add({measured.name, "pause_max", percentile(outcome.pauses_us, 1), "us"});
  report.add({measured.name, "settling_pause_max", percentile(settling_us, 1), "us"});
  report.add(
      {measured.name, "throughput", median(outcome.with) / median(outcome.without), "ratio"});
  report.add({measured.name, "snapshots", static_cast<double>(outcome.pauses_us.size()), "count"});
  if (std::string_view(measured.name) == "hot1024") {
    const double fork = fork_us(report.smoke() ? 1 : 5);
    report.add({measured.name, "pause_p50", p50, "us", "fork", p50 / fork});
  }
}

// In a child of the bench: the case as a program against a new store.
int run_case(const Case& measured, const Report& report, const std::filesystem::path& store) {
  options chosen{.store = store, .snapshot_every = measured.every};
  if (const char* tracker = std::getenv("REVENANT_TRACKER")) chosen.tracker = tracker;
  static const Case* the_case;
  static const Report* the_report;
  the_case = &measured;
  the_report = &report;
  return run(chosen, [] {
    measure(*the_case, *the_report);
    std::fflush(stdout);
    // The idle threads are not worth joining: the store is thrown away.
    ::_exit(0);
  });
}

bool run_all(const Report& report) {
  bool good = true;
  for (const Case& each : kCases) {
    if (!report.wants(each.name)) continue;
    const testing::TemporaryDirectory directory;
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) std::exit(run_case(each, report, directory / "store"));
    int status = 0;
    ::waitpid(child, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return good;
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("snapshot", argc, argv);
  return revenant::bench::run_all(report) ? 0 : 1;
}
