// bench/restart: from exec to the first instruction of a resumed program, for two sizes of heap.
//
// A program fills its heap, commits it and is killed. Started again, its thread goes on within its
// loop: the time it then reads, less the time just before exec, is the figure. The sizes alternate
// in one run. Nothing is loaded eagerly, so the size should not matter.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/support/report.h"
#include "revenant/revenant.h"
#include "tests/support/temporary_directory.h"

namespace revenant::bench {
namespace {

constexpr std::size_t kMiB = 1 << 20;

std::int64_t wall_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

// The program: its heap, and then a line with the time at each start.
int run_program(int argc, char** argv) {
  return run(argc, argv, [] {
    const std::size_t mib = std::strtoul(std::string(args().at(1)).c_str(), nullptr, 10);
    auto* heap = static_cast<char*>(std::malloc(mib * kMiB));
    REVENANT_CHECK(heap != nullptr);
    for (std::size_t at = 0; at < mib * kMiB; at += 4096) {
      const std::size_t stamp = at * 0x9e3779b97f4a7c15ull;
      std::memcpy(heap + at, &stamp, sizeof stamp);
    }
    const std::uint64_t filled_in = generation();
    sync();  // a restart goes on from here
    if (generation() == filled_in) {
      print("ready\n");
    } else {
      print("{}\n", wall_ns());
    }
    this_thread::sleep_for(std::chrono::hours(1));
  });
}

// Starts the program with `store`, reads one line and kills it.
std::string first_line(const std::string& store, std::size_t mib) {
  int pipes[2];
  REVENANT_CHECK(::pipe(pipes) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipes[1], STDOUT_FILENO);
    const std::string size = std::to_string(mib);
    ::execl("/proc/self/exe", "restart", "--store", store.c_str(), "--snapshot-every", "0",
            "program", size.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipes[1]);
  std::string line;
  char byte = 0;
  while (::read(pipes[0], &byte, 1) == 1 && byte != '\n') line += byte;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipes[0]);
  return line;
}

double restart_ms(const std::string& store, std::size_t mib) {
  const std::int64_t before_ns = wall_ns();
  const std::string line = first_line(store, mib);
  return static_cast<double>(std::strtoll(line.c_str(), nullptr, 10) - before_ns) / 1e6;
}

int measure(const Report& report) {
  const std::size_t sizes_mib[2] = {report.smoke() ? 1u : 16u, report.smoke() ? 4u : 1024u};
  const char* const names[2] = {"heap16", "heap1024"};
  const testing::TemporaryDirectory directory;
  std::string stores[2];
  std::vector<double> samples[2];
  for (int i = 0; i < 2; ++i) {
    stores[i] = directory / names[i];
    if (first_line(stores[i], sizes_mib[i]) != "ready") return 1;
  }
  for (int round = 0; round < (report.smoke() ? 1 : 15); ++round) {
    for (int i = 0; i < 2; ++i) samples[i].push_back(restart_ms(stores[i], sizes_mib[i]));
  }
  const double small = median(samples[0]);
  const double large = median(samples[1]);
  report.add({names[0], "first_instruction", small, "ms"});
  report.add({names[1], "first_instruction", large, "ms", "heap16", large / small});
  return 0;
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  if (argc > 2 && std::string_view(argv[argc - 2]) == "program") {
    return revenant::bench::run_program(argc, argv);
  }
  return revenant::bench::measure(revenant::bench::Report("restart", argc, argv));
}
