// Which page leaves memory, and when: the pager's answers beside others.
//
// STRING_bNN: a string of references (support/reference_strings.h), under a budget of NN percent of
// the pages. `hard`: references in a hundred for which the pager had to read the store, beside the
// same figure of the policies of support/replacement_policies.h, simulated. `rescued`: those that
// it found outside the space. For both the pages lie far apart, so that none is read ahead; for
// `hard_in_order` they lie in order. `hard_sN` and so on: with a standby list of 1/N of the budget,
// or of one batch; `us_sN` is the processor's time for a reference, `us_in_order_sN` that where the
// pages lie in order.
//
// ahead_bNN: a walk, as in apps/pagewalk, while another thread keeps K frames free:
// `pages_per_s_K`. burst_bNN: 64 references at a time, with pauses between: `fault_us_K`, for those
// that were missing.
//
// park_bNN: a walk that writes every second page, while another thread parks what is modified once
// it takes 1/N of the budget: `pages_per_s_N`, `parked_N` pages for a hundred visited, and
// `waited_N`, percent of the time.
#include <time.h>

#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "bench/support/housekeeper.h"
#include "bench/support/paged_memory.h"
#include "bench/support/reference_strings.h"
#include "bench/support/replacement_policies.h"
#include "bench/support/report.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Size {
  std::uint32_t pages = 0;  // a power of two
  std::size_t references = 0;
  std::chrono::milliseconds slice{};
  int slices = 0;
};

std::uint64_t budget_of(Size size, int percent) {
  return size.pages * static_cast<std::uint64_t>(percent) / 100;
}

// How many in a row begin anywhere and go on in order, with what is done to each.
template <class Visit>
std::uint64_t walk(base::PageRun set, std::uint64_t seed, std::chrono::milliseconds time,
                   Visit visit) {
  std::mt19937_64 random(seed);
  std::uint64_t visited = 0;
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
    std::uint64_t at = random() % set.count.value;
    for (std::uint64_t left = 1 + random() % 64; left != 0 && at < set.count.value; --left, ++at) {
      visit(reinterpret_cast<volatile std::uint64_t*>((set.first + base::PageCount{at}).pointer()));
      ++visited;
    }
  }
  return visited;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double processor_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

// Counted once memory has been filled as the policy will have it.
std::size_t counted_from(const References& references) { return references.size() / 4; }

double percent_of(std::uint64_t faults, const References& references) {
  const std::size_t counted = references.size() - counted_from(references);
  return 100.0 * static_cast<double>(faults) / static_cast<double>(counted);
}

double simulate(const NamedPolicy& named, const References& references, Size size,
                std::uint64_t budget) {
  const auto policy = named.make(budget, size.pages, references);
  std::uint64_t misses = 0;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const bool hit = policy->touch(references[i]);
    if (!hit && i >= counted_from(references)) ++misses;
  }
  return percent_of(misses, references);
}

struct Measured {
  double hard = 0;
  double rescued = 0;
  double us = 0;  // of the processor's, for a reference
};

// Frames that one fault can want.
constexpr std::uint64_t kMostAhead = 16;

// An odd stride: page i of the string lies at i * stride, of 2^n pages.
Measured measure(const References& references, Size size, std::uint64_t budget,
                 std::uint32_t stride, std::optional<std::uint64_t> standby = {}) {
  const ScratchDirectory directory;
  PagedMemory paged(directory.path(), size.pages, budget);
  vm::Pager& pager = paged.memory().pager();
  vm::MemoryStatistics before;
  double begun_us = 0;
  for (std::size_t i = 0; i < references.size(); ++i) {
    if (i == counted_from(references)) {
      before = paged.memory().statistics();
      begun_us = processor_us();
    }
    // With a standby of another size, the trimmer never finds anything to do.
    if (standby && free_frames(pager) < kMostAhead) relieve(pager, *standby);
    const base::PageCount at{std::uint64_t{references[i]} * stride % size.pages};
    (void)*reinterpret_cast<volatile char*>((paged.stored().first + at).pointer());
  }
  const double us = processor_us() - begun_us;
  const vm::MemoryStatistics after = paged.memory().statistics();
  return {percent_of(after.stored_faults - before.stored_faults, references),
          percent_of(after.standby_faults - before.standby_faults, references),
          us / static_cast<double>(references.size() - counted_from(references))};
}

void compare(const Report& report, const NamedString& string, Size size, int percent) {
  const std::string name = std::string(string.name) + "_b" + std::to_string(percent);
  if (!report.wants(name) && !report.wants(string.name)) return;
  const References references = string.make(size.references, size.pages);
  const std::uint64_t budget = budget_of(size, percent);
  const Measured ours = measure(references, size, budget, 1'031);
  for (const NamedPolicy& policy : replacement_policies()) {
    const double theirs = simulate(policy, references, size, budget);
    report.add({name, "hard", ours.hard, "%", policy.name, theirs == 0 ? 0 : ours.hard / theirs});
  }
  report.add({name, "rescued", ours.rescued, "%"});
  report.add({name, "hard_in_order", measure(references, size, budget, 1).hard, "%"});
}

void vary_standby(const Report& report, std::string_view string, Size size, int percent) {
  const std::string name = std::string(string) + "_b" + std::to_string(percent);
  if (!report.wants(name) && !report.wants(string)) return;
  const auto named = std::ranges::find(reference_strings(), string, &NamedString::name);
  const References references = named->make(size.references, size.pages);
  const std::uint64_t budget = budget_of(size, percent);
  const auto measure_with = [&](const std::string& suffix, std::uint64_t standby) {
    const Measured measured = measure(references, size, budget, 1'031, standby);
    report.add({name, "hard_" + suffix, measured.hard, "%"});
    report.add({name, "rescued_" + suffix, measured.rescued, "%"});
    report.add({name, "us_" + suffix, measured.us, "us"});
    const Measured in_order = measure(references, size, budget, 1, standby);
    report.add({name, "us_in_order_" + suffix, in_order.us, "us"});
  };
  for (const std::uint64_t share : {2, 4, 8, 16}) {
    measure_with("s" + std::to_string(share), budget / share);
  }
  measure_with("batch", vm::PageLists::kBatch);
}

constexpr std::array<std::uint64_t, 6> kKeptFree{0, 16, 64, 256, 1024, 4096};

// measure(seed) for each way in turns, once it has settled.
template <class Measure>
void vary_kept_free(const Report& report, const std::string& name, const char* metric,
                    const char* unit, Size size, int percent, Measure measure) {
  if (!report.wants(name)) return;
  const ScratchDirectory directory;
  PagedMemory paged(directory.path(), size.pages, budget_of(size, percent));
  Housekeeper housekeeper(paged.memory());
  std::array<std::vector<double>, kKeptFree.size()> figures;
  for (int slice = 0; slice < size.slices; ++slice) {
    for (std::size_t way = 0; way < figures.size(); ++way) {
      if (kKeptFree[way] > budget_of(size, percent) / 2) continue;
      housekeeper.keep_free(kKeptFree[way]);
      const auto seed = static_cast<std::uint64_t>(slice) * 100 + way;
      for (std::uint64_t i = 1; i < 4; ++i) measure(paged, housekeeper, seed + 10 * i);
      figures[way].push_back(measure(paged, housekeeper, seed));
    }
  }
  for (std::size_t way = 0; way < figures.size(); ++way) {
    if (figures[way].empty()) continue;
    report.add({name, metric + std::to_string(kKeptFree[way]), median(figures[way]), unit});
  }
}

double pages_per_s(PagedMemory& paged, Housekeeper& housekeeper, std::uint64_t seed,
                   std::chrono::milliseconds time) {
  const auto start = Clock::now();
  const std::uint64_t visited =
      walk(paged.stored(), seed, time, [&housekeeper](volatile std::uint64_t* word) {
        (void)*word;
        housekeeper.note_need();
      });
  return static_cast<double>(visited) / seconds_since(start);
}

double burst_fault_us(PagedMemory& paged, Housekeeper& housekeeper, std::uint64_t seed,
                      std::chrono::milliseconds time) {
  std::mt19937_64 random(seed);
  const base::PageRun set = paged.stored();
  const std::uint64_t faults = paged.memory().statistics().faults;
  double seconds = 0;
  for (const auto end = Clock::now() + time; Clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto start = Clock::now();
    for (int i = 0; i < 64; ++i) {
      const base::PageCount at{random() % set.count.value};
      (void)*reinterpret_cast<volatile char*>((set.first + at).pointer());
    }
    seconds += seconds_since(start);
    housekeeper.note_need();
  }
  const std::uint64_t more = paged.memory().statistics().faults - faults;
  return more == 0 ? 0 : 1e6 * seconds / static_cast<double>(more);
}

struct Parking {
  double pages_per_s = 0;
  double parked = 0;
  double waited = 0;
};

Parking measure_parking(Size size, std::uint64_t budget, std::uint64_t share, std::uint64_t seed) {
  const ScratchDirectory directory;
  PagedMemory paged(directory.path(), size.pages, budget);
  Housekeeper housekeeper(paged.memory());
  housekeeper.park_from(budget / share);
  std::uint64_t count = 0;
  const auto walk_on = [&](std::uint64_t own_seed) {
    const auto write_every_second = [&](volatile std::uint64_t* word) {
      if (++count % 2 == 0) *word = *word + 1;
    };
    return walk(paged.stored(), own_seed, 5 * size.slice, write_every_second);
  };
  walk_on(seed);  // until memory is as full as it gets
  const vm::MemoryStatistics before = paged.memory().statistics();
  const auto start = Clock::now();
  const auto visited = static_cast<double>(walk_on(seed + 1));
  const double seconds = seconds_since(start);
  const vm::MemoryStatistics after = paged.memory().statistics();
  const auto more = [](std::uint64_t now, std::uint64_t then) {
    return static_cast<double>(now - then);
  };
  return {visited / seconds, 100.0 * more(after.written_pages, before.written_pages) / visited,
          1e-7 * more(after.frame_wait_ns, before.frame_wait_ns) / seconds};
}

void vary_parking(const Report& report, Size size, int percent) {
  const std::string name = "park_b" + std::to_string(percent);
  if (!report.wants(name)) return;
  const std::vector<std::uint64_t> shares{2, 4, 8, 16, 64};
  std::vector<std::array<std::vector<double>, 3>> figures(shares.size());
  for (int slice = 0; slice < (size.slices + 1) / 2; ++slice) {
    for (std::size_t way = 0; way < shares.size(); ++way) {
      const auto seed = static_cast<std::uint64_t>(2 * slice);
      const Parking one = measure_parking(size, budget_of(size, percent), shares[way], seed);
      figures[way][0].push_back(one.pages_per_s);
      figures[way][1].push_back(one.parked);
      figures[way][2].push_back(one.waited);
    }
  }
  for (std::size_t way = 0; way < shares.size(); ++way) {
    const std::string share = std::to_string(shares[way]);
    report.add({name, "pages_per_s_" + share, median(figures[way][0]), "1/s"});
    report.add({name, "parked_" + share, median(figures[way][1]), "%"});
    report.add({name, "waited_" + share, median(figures[way][2]), "%"});
  }
}

void run(const Report& report) {
  using std::chrono::milliseconds;
  const Size size = report.smoke() ? Size{1024, 10'000, milliseconds(2), 1}
                                   : Size{16'384, 400'000, milliseconds(100), 5};
  for (const NamedString& string : reference_strings()) {
    for (const int percent : {75, 50, 25, 10}) compare(report, string, size, percent);
  }
  vary_standby(report, "zipf", size, 50);
  vary_standby(report, "hot_scan", size, 25);
  vary_standby(report, "walk", size, 50);
  for (const int percent : {100, 90, 50}) {
    vary_kept_free(report, "ahead_b" + std::to_string(percent), "pages_per_s_", "1/s", size,
                   percent,
                   [size](PagedMemory& paged, Housekeeper& housekeeper, std::uint64_t seed) {
                     return pages_per_s(paged, housekeeper, seed, size.slice);
                   });
  }
  vary_kept_free(report, "burst_b50", "fault_us_", "us", size, 50,
                 [size](PagedMemory& paged, Housekeeper& housekeeper, std::uint64_t seed) {
                   return burst_fault_us(paged, housekeeper, seed, size.slice);
                 });
  vary_parking(report, size, 50);
  vary_parking(report, size, 25);
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("page_out", argc, argv);
  revenant::bench::run(report);
  return 0;
}
