// bench/endurance: whether a store stays small and its commits quick, however long a program runs.
//
// A program rewrites the same 10 MB, all of it anew every 10 ms, with a snapshot every 10 ms, for
// 20 minutes; another process, this one, reads its history meanwhile as `revenant log` does. What
// is compared: the store's size at the end, and the median commit of the last minute with that of
// the second.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/check.h"
#include "bench/support/report.h"
#include "revenant/revenant.h"
#include "store/store.h"
#include "tests/support/temporary_directory.h"

namespace revenant::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::string_view kCase = "rewrite10";
constexpr std::size_t kRewrittenBytes = 10'000'000;
constexpr std::chrono::nanoseconds kCadence = 10ms;

// The program, until it is killed.
void rewrite_for_ever() {
  std::vector<std::uint64_t> words(kRewrittenBytes / sizeof(std::uint64_t));
  std::uint64_t random = 88172645463325252ull;
  for (auto next = steady_clock::now();; next += kCadence) {
    for (std::uint64_t& word : words) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      word = random;
    }
    this_thread::sleep_until(std::max(next, steady_clock::now()));
  }
}

// What one reader of a store's history has seen so far.
class Observer {
 public:
  explicit Observer(std::filesystem::path store) : path_(std::move(store)) {}

  // Adds the commits that are new since the last call.
  void look(std::vector<double>& commits_us) {
    if (reader_ == nullptr) {
      auto opened = store::StoreReader::open(path_);
      if (!opened.ok()) return;  // not created yet
      reader_ = std::move(*opened);
    }
    const auto snapshots = reader_->history().snapshots();
    REVENANT_CHECK(snapshots.ok(), "%s", snapshots.error().message.c_str());
    for (const store::SnapshotRecord& snapshot : *snapshots) {
      if (snapshot.commit_us == 0 || snapshot.revision <= newest_) continue;
      newest_ = snapshot.revision;
      commits_us.push_back(snapshot.commit_us);
    }
  }
  [[nodiscard]] base::Epoch newest() const { return newest_; }

  // The blocks that the store's files take up, in MB.
  [[nodiscard]] double store_mb() const {
    double bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      struct stat status {};
      if (::stat(entry.path().c_str(), &status) == 0) {
        bytes += static_cast<double>(std::max(status.st_size, status.st_blocks * 512));
      }
    }
    return bytes / 1e6;
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<store::StoreReader> reader_;
  base::Epoch newest_;
};

void observe(const Report& report, const std::filesystem::path& store) {
  const auto minute = report.smoke() ? 500ms : 60'000ms;
  const int minutes = report.smoke() ? 3 : 20;
  Observer observer(store);
  std::vector<std::vector<double>> commits_us(static_cast<std::size_t>(minutes));
  const auto start = steady_clock::now();
  for (std::size_t now = 0; now < commits_us.size(); ++now) {
    if (::isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\rminute %zu of %d", now + 1, minutes);
    while (steady_clock::now() < start + minute * (now + 1)) {
      std::this_thread::sleep_for(minute / 60);
      observer.look(commits_us[now]);
    }
  }
  if (::isatty(STDERR_FILENO) == 1) std::fputc('\n', stderr);
  const double second = median(commits_us[1]);
  const double last = median(commits_us.back());
  report.add({kCase, "store_size", observer.store_mb(), "MB"});
  report.add({kCase, "snapshots", static_cast<double>(observer.newest().value), "count"});
  report.add({kCase, "commit_second_minute", second, "us"});
  report.add({kCase, "commit_last_minute", last, "us", "second_minute", last / second});
}

int run_all(const Report& report) {
  if (!report.wants(kCase)) return 0;
  const testing::TemporaryDirectory directory;
  const std::filesystem::path store = directory / "store";
  const pid_t program = ::fork();
  if (program == 0) {
    std::exit(run(options{.store = store, .snapshot_every = kCadence}, rewrite_for_ever));
  }
  observe(report, store);
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  return revenant::bench::run_all(revenant::bench::Report("endurance", argc, argv));
}
