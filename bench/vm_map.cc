// The page table against hash tables, a radix tree and the ancestor's table.
//
// A case is a pattern of pages. The tables take turns, a slice of work each, so that a busy
// neighbour disturbs them alike: first they are filled, then asked, then emptied. A figure is the
// median of the slices, a ratio the median of the slices' ratios; of insert and erase, whose slices
// differ, the mean and the ratio of means.
//
//   lookup_indep   random pages, known beforehand
//   lookup_dep     each page follows from the last entry
//   lookup_2t      lookup_indep by two threads, per lookup
//   speedup_2t     one thread's time for a lookup to that of two
//   lost           pages inserted and not found again
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <latch>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bench/support/page_tables.h"
#include "bench/support/report.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Pages = std::vector<std::uint64_t>;
using Slice = std::span<const std::uint64_t>;

constexpr std::uint64_t kSpace = 0x560000000;  // the first page of the space
constexpr base::Epoch kEpoch{7};
constexpr std::size_t kSlices = 21;
constexpr std::size_t kWalks = 3;

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// Keeps the compiler from dropping what computed `value`.
void use(std::uint64_t value) { asm volatile("" : : "r"(value)); }

vm::PageEntry entry_of(std::uint64_t page) {
  vm::PageEntry entry;
  entry.take<vm::touch>();
  entry.mark_clean({.low = page * 3, .high = ~page});
  return entry;
}

// One table behind loops that know its type; each gives the nanoseconds of one of its steps.
struct Contender {
  using Loop = std::function<double(Slice)>;

  std::string name;
  Loop insert;
  Loop independent;
  Loop dependent;
  Loop walk;
  Loop erase;
  std::function<std::uint64_t(Slice)> lost;
};

// Runs `step` over the slice.
template <class Step>
Contender::Loop timed(Step step) {
  return [step](Slice pages) {
    const auto from = Clock::now();
    std::uint64_t last = 0;
    for (const std::uint64_t page : pages) last = step(page, last);
    use(last);
    return ns_since(from) / static_cast<double>(pages.size());
  };
}

template <class Table>
Contender contender(std::string name, std::size_t pages) {
  auto table = std::make_shared<Table>(pages);
  Contender made{.name = std::move(name)};
  made.insert = timed([table](std::uint64_t page, std::uint64_t) -> std::uint64_t {
    table->insert(page, entry_of(page));
    return 0;
  });
  made.independent =
      timed([table](std::uint64_t page, std::uint64_t sum) { return sum + table->find(page); });
  // Bit 63 of what is found is 0, but the processor has to wait for it.
  made.dependent = timed(
      [table](std::uint64_t page, std::uint64_t last) { return table->find(page + last) >> 63; });
  made.walk = [table](Slice) {
    const auto from = Clock::now();
    use(table->walk());
    return ns_since(from);
  };
  made.erase = timed([table](std::uint64_t page, std::uint64_t) -> std::uint64_t {
    table->erase(page);
    return 0;
  });
  made.lost = [table](Slice all) {
    return static_cast<std::uint64_t>(std::count_if(
        all.begin(), all.end(), [&](std::uint64_t page) { return table->find(page) == 0; }));
  };
  return made;
}

double two_threads(const Contender& contender, Slice wanted) {
  std::latch both(2);
  std::thread other([&] {
    both.arrive_and_wait();
    contender.independent(wanted);
  });
  both.arrive_and_wait();
  const auto from = Clock::now();
  contender.independent(wanted);
  other.join();
  return ns_since(from) / static_cast<double>(2 * wanted.size());
}

double mean(const std::vector<double>& values) {
  return std::reduce(values.begin(), values.end()) / static_cast<double>(values.size());
}

class Comparison {
 public:
  Comparison(const Report& report, std::string_view case_name, const Pages& pages)
      : report_(report), case_(case_name), pages_(pages), shuffled_(pages) {
    std::shuffle(shuffled_.begin(), shuffled_.end(), random_);
    add<VmMapTable>("vm_map");
    add<StdTable>("std");
    add<AbslFlatTable>("absl_flat");
    add<BoostFlatTable>("boost_flat");
    add<TbbTable>("tbb");
    // Four levels end at 36-bit page numbers, and a lone page costs 12 KiB: dense cases only.
    if (case_.starts_with("dense")) add<RadixTable>("radix");
    add<FixedBucketTable>("fixed_bucket");
  }

  void run() {
    measure_parts("insert", pages_, &Contender::insert);
    measure_lost();
    measure_lookups("lookup_indep",
                    [](const Contender& c, Slice wanted) { return c.independent(wanted); });
    measure_lookups("lookup_dep",
                    [](const Contender& c, Slice wanted) { return c.dependent(wanted); });
    measure_lookups("lookup_2t", two_threads);
    measure_speedup();
    measure("walk", "ms", kWalks, [](const Contender& c, std::size_t) { return c.walk({}) / 1e6; });
    measure_parts("erase", shuffled_, &Contender::erase);
  }

 private:
  using Values = std::vector<std::vector<double>>;  // by contender, then by slice

  template <class Table>
  void add(std::string name) {
    contenders_.push_back(contender<Table>(std::move(name), pages_.size()));
  }

  // All contenders' turns at each slice.
  template <class Turn>
  Values take_turns(std::size_t slices, Turn turn) {
    Values values(contenders_.size());
    for (std::size_t slice = 0; slice < slices; ++slice) {
      for (std::size_t i = 0; i < contenders_.size(); ++i) {
        values[i].push_back(turn(contenders_[i], slice));
      }
    }
    return values;
  }

  void report(std::string_view metric, std::string_view unit, const Values& values,
              double (*summary)(std::vector<double>)) const {
    const double ours = summary(values[0]);
    report_.add({.case_name = case_, .metric = metric, .value = ours, .unit = unit});
    for (std::size_t i = 1; i < contenders_.size(); ++i) {
      std::vector<double> ratios;
      for (std::size_t slice = 0; slice < values[i].size(); ++slice) {
        ratios.push_back(values[0][slice] / values[i][slice]);
      }
      report_.add({case_, metric, ours, unit, contenders_[i].name, summary(ratios)});
    }
  }

  template <class Turn>
  void measure(std::string_view metric, std::string_view unit, std::size_t slices, Turn turn) {
    report(metric, unit, take_turns(slices, turn), median);
  }

  template <class Turn>
  void measure_lookups(std::string_view metric, Turn turn) {
    const std::vector<Pages> wanted = draw_slices();
    measure(metric, "ns", kSlices, [&](const Contender& contender, std::size_t slice) {
      return turn(contender, wanted[slice]);
    });
  }

  // Each page once, a slice after the other.
  void measure_parts(std::string_view metric, Slice all, Contender::Loop Contender::*loop) {
    const std::size_t part = all.size() / kSlices;
    Values values = take_turns(kSlices, [&](const Contender& contender, std::size_t slice) {
      const bool last = slice + 1 == kSlices;
      return (contender.*loop)(all.subspan(slice * part, last ? std::dynamic_extent : part));
    });
    for (std::vector<double>& slices : values) slices = {mean(slices)};
    report(metric, "ns", values, median);
  }

  // Exact for each: our zero has no ratio to it.
  void measure_lost() const {
    for (const Contender& contender : contenders_) {
      const auto lost = static_cast<double>(contender.lost(pages_));
      if (&contender == &contenders_.front()) {
        report_.add({.case_name = case_, .metric = "lost", .value = lost, .unit = "pages"});
      } else if (contender.name == "fixed_bucket") {
        report_.add(
            {.case_name = case_, .metric = "lost_fixed_bucket", .value = lost, .unit = "pages"});
      } else {
        REVENANT_CHECK(lost == 0, "%s lost pages", contender.name.c_str());
      }
    }
  }

  // One thread's time for a lookup to that of two: 2 where neither hinders the other.
  void measure_speedup() {
    const std::vector<Pages> wanted = draw_slices();
    std::vector<double> ratios;
    for (const Pages& slice : wanted) {
      const double one = contenders_.front().independent(slice);
      ratios.push_back(one / two_threads(contenders_.front(), slice));
    }
    report_.add({case_, "speedup_2t", median(ratios), "x"});
  }

  std::vector<Pages> draw_slices() {
    std::vector<Pages> slices(kSlices, Pages(std::min<std::size_t>(100'000, 4 * pages_.size())));
    for (Pages& slice : slices) {
      for (std::uint64_t& page : slice) page = pages_[random_() % pages_.size()];
    }
    return slices;
  }

  const Report& report_;
  const std::string case_;
  const Pages& pages_;
  Pages shuffled_;
  std::mt19937_64 random_{42};
  std::vector<Contender> contenders_;
};

// What only the map has: its bytes, its slowest inserts, its dirty walk.
void measure_map(const Report& report, std::string_view case_name, const Pages& pages) {
  vm::VmMap map;
  REVENANT_CHECK(map.open().ok());
  std::vector<double> inserts;
  inserts.reserve(pages.size());
  for (const std::uint64_t page : pages) {
    const vm::PageEntry entry = entry_of(page);
    const auto start = Clock::now();
    map.insert({page}, entry);
    inserts.push_back(ns_since(start));
  }
  std::sort(inserts.begin(), inserts.end());
  const vm::VmMapStatistics statistics = map.statistics();
  report.add({case_name, "bytes_per_entry",
              static_cast<double>(statistics.bytes) / static_cast<double>(statistics.entries),
              "bytes"});
  report.add({case_name, "insert_p9999", inserts[inserts.size() * 9999 / 10000] / 1e3, "us"});

  for (std::size_t i = 0; i < pages.size(); i += 1000) {
    map.update({pages[i]}, [](vm::PageEntry& entry) { entry.mark_dirty(kEpoch); });
  }
  std::uint64_t seen = 0;
  const auto count = [&](base::PageNumber, const vm::PageEntry&) { ++seen; };
  const auto start = Clock::now();
  map.for_each_dirty(count);
  const double dirty_ms = ns_since(start) / 1e6;
  const auto middle = Clock::now();
  map.for_each(count);
  const double all_ms = ns_since(middle) / 1e6;
  REVENANT_CHECK(seen == pages.size() + (pages.size() + 999) / 1000);
  report.add({case_name, "walk_dirty", dirty_ms, "ms", "walk_all", dirty_ms / all_ms});
}

Pages run_of(std::size_t count, std::uint64_t stride) {
  Pages pages(count);
  for (std::size_t i = 0; i < count; ++i) pages[i] = kSpace * stride + i * stride;
  return pages;
}

Pages scatter(std::size_t count) {
  std::mt19937_64 random(7);
  Pages pages(count);
  for (std::uint64_t& page : pages) page = random() & ((1ull << 36) - 1);
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::shuffle(pages.begin(), pages.end(), random);
  return pages;
}

void run(const Report& report) {
  const std::size_t million = report.smoke() ? 1000 : 1'000'000;
  const std::vector<std::pair<std::string_view, std::function<Pages()>>> cases = {
      {"dense_1m", [&] { return run_of(million, 1); }},
      {"dense_4m", [&] { return run_of(4 * million, 1); }},
      {"aligned_1m", [&] { return run_of(million, base::kPageSize); }},
      {"scatter_1m", [&] { return scatter(million); }},
      {"scatter_4m", [&] { return scatter(4 * million); }},
  };
  for (const auto& [name, make] : cases) {
    if (!report.wants(name)) continue;
    const Pages pages = make();
    measure_map(report, name, pages);
    Comparison(report, name, pages).run();
  }
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("vm_map", argc, argv);
  revenant::bench::run(report);
  return 0;
}
