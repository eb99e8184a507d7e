// Pages that do not fit: a set of stored pages, walked at random under a part of the memory that it
// takes, beside a bare pager (pread, UFFDIO_COPY and eviction in the order of arrival).
//
// A walk begins anywhere and reads up to 64 pages in order: the workload of apps/pagewalk, without
// writes, which a bare pager would lose. bNN_tM: NN percent of the set fits, M threads walk.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/support/bare_pager.h"
#include "bench/support/forked_side.h"
#include "bench/support/paged_memory.h"
#include "bench/support/report.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Size {
  std::uint64_t pages = 0;
  std::chrono::milliseconds slice{};
  int slices = 0;
};

// Walks until `end`; says how many pages it has visited.
std::uint64_t walk(base::PageRun set, std::uint64_t seed, Clock::time_point end) {
  std::mt19937_64 random(seed);
  std::uint64_t visited = 0;
  while (Clock::now() < end) {
    std::uint64_t at = random() % set.count.value;
    for (std::uint64_t left = 1 + random() % 64; left != 0 && at < set.count.value; --left, ++at) {
      (void)*reinterpret_cast<volatile char*>((set.first + base::PageCount{at}).pointer());
      ++visited;
    }
  }
  return visited;
}

// Pages a second, by `threads` threads that begin with `enter`.
template <class Enter>
double rate(base::PageRun set, int threads, std::chrono::milliseconds slice, std::uint64_t& seed,
            Enter enter) {
  std::vector<std::uint64_t> visited(static_cast<std::size_t>(threads));
  const auto start = Clock::now();
  const auto walk_one = [&](int index, std::uint64_t own_seed) {
    visited[static_cast<std::size_t>(index)] = walk(set, own_seed, start + slice);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) {
    others.emplace_back([&, i, own = ++seed] {
      [[maybe_unused]] const auto entered = enter();
      walk_one(i, own);
    });
  }
  walk_one(0, ++seed);
  for (std::thread& other : others) other.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::uint64_t sum = 0;
  for (const std::uint64_t pages : visited) sum += pages;
  return static_cast<double>(sum) / seconds;
}

ForkedSide::Measure our_side(const std::filesystem::path& directory, Size size,
                             std::uint64_t budget) {
  auto paged = std::make_shared<PagedMemory>(directory, size.pages, budget);
  auto seed = std::make_shared<std::uint64_t>(1);
  return [=](int threads) {
    return rate(paged->stored(), threads, size.slice, *seed,
                [&] { return paged->memory().adopt_thread(); });
  };
}

ForkedSide::Measure bare_side(const std::filesystem::path& file, Size size, std::uint64_t budget) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  REVENANT_CHECK(descriptor >= 0);
  auto pager = std::make_shared<BarePager>(size.pages, descriptor, budget);
  pager->set_contents(BarePager::Contents::kFile);
  auto seed = std::make_shared<std::uint64_t>(1);
  return [=](int threads) {
    return rate(pager->pages(), threads, size.slice, *seed, [] { return 0; });
  };
}

std::filesystem::path write_file(const std::filesystem::path& directory, std::uint64_t pages) {
  const std::filesystem::path path = directory / "pages";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  REVENANT_CHECK(file >= 0);
  std::vector<std::byte> frame(base::kPageSize);
  for (std::uint64_t page = 0; page < pages; ++page) {
    fill_page({page}, frame.data());
    REVENANT_CHECK(::write(file, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
  }
  ::close(file);
  return path;
}

void run(const Report& report) {
  using std::chrono::milliseconds;
  const Size size =
      report.smoke() ? Size{2048, milliseconds(20), 1} : Size{65'536, milliseconds(400), 9};
  const ScratchDirectory scratch;
  const std::filesystem::path file = write_file(scratch.path(), size.pages);
  for (const int percent : {100, 75, 50, 25, 10}) {
    const std::string name = "b" + std::to_string(percent);
    if (!report.wants(name) && !report.wants(name + "_t1") && !report.wants(name + "_t2")) continue;
    const std::uint64_t budget = size.pages * static_cast<std::uint64_t>(percent) / 100;
    const ScratchDirectory store;
    ForkedSide ours([&] { return our_side(store.path(), size, budget); });
    ForkedSide bare([&] { return bare_side(file, size, budget); });
    std::vector<double> one_thread;
    for (const int threads : {1, 2}) {
      for (ForkedSide* side : {&ours, &bare})
        side->measure(threads);  // until it is as full as it gets
      std::vector<double> rates, ratios, speedups;
      for (int slice = 0; slice < size.slices; ++slice) {
        rates.push_back(ours.measure(threads));
        ratios.push_back(rates.back() / bare.measure(threads));
        if (threads == 2) speedups.push_back(rates.back() / ours.measure(1));
      }
      const std::string case_name = name + "_t" + std::to_string(threads);
      report.add({case_name, "pages_per_s", median(rates), "1/s", "bare", median(ratios)});
      if (threads == 2) report.add({case_name, "speedup_2t", median(speedups), "times"});
    }
  }
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("paging", argc, argv);
  revenant::bench::run(report);
  return 0;
}
