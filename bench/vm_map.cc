// The page table against hash tables and a radix tree.
//
// A case is a pattern of pages; each table is filled with it, and then the tables take turns, a
// slice of lookups each, so that a busy neighbour disturbs them alike. A figure is the median of
// the slices, a ratio the median of the slices' ratios.
//
//   lookup_indep  random pages, known beforehand      lookup_2t  the same by two threads, per
//   lookup lookup_dep    each page follows from the last entry
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/support/page_tables.h"
#include "bench/support/report.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Pages = std::vector<std::uint64_t>;

constexpr std::uint64_t kSpace = 0x560000000;  // the first page of the space
constexpr base::Epoch kEpoch{7};
constexpr int kSlices = 21;

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

// One table, filled, behind loops that know its type.
struct Contender {
  std::string name;
  std::function<double(const Pages&)> independent_ns;
  std::function<double(const Pages&)> dependent_ns;
  std::function<double()> walk_ns;
  std::function<double(const Pages&)> erase_ns;
  double insert_ns = 0;
};

template <class Table>
Contender fill(std::string name, const Pages& pages) {
  auto table = std::make_shared<Table>();
  Contender made{.name = std::move(name)};
  const auto start = Clock::now();
  for (const std::uint64_t page : pages) table->insert(page, entry_of(page));
  made.insert_ns = ns_since(start) / static_cast<double>(pages.size());
  made.independent_ns = [table](const Pages& wanted) {
    const auto from = Clock::now();
    std::uint64_t sum = 0;
    for (const std::uint64_t page : wanted) sum += table->find(page);
    use(sum);
    return ns_since(from) / static_cast<double>(wanted.size());
  };
  made.dependent_ns = [table](const Pages& wanted) {
    const auto from = Clock::now();
    std::uint64_t last = 0;
    // Bit 63 of what is found is 0, but the processor has to wait for it.
    for (const std::uint64_t page : wanted) last = table->find(page + last) >> 63;
    use(last);
    return ns_since(from) / static_cast<double>(wanted.size());
  };
  made.walk_ns = [table] {
    const auto from = Clock::now();
    use(table->walk());
    return ns_since(from);
  };
  made.erase_ns = [table](const Pages& gone) {
    const auto from = Clock::now();
    for (const std::uint64_t page : gone) table->erase(page);
    return ns_since(from) / static_cast<double>(gone.size());
  };
  return made;
}

class Comparison {
 public:
  Comparison(const Report& report, std::string_view case_name, const Pages& pages)
      : report_(report), case_(case_name), pages_(pages), shuffled_(pages) {
    std::shuffle(shuffled_.begin(), shuffled_.end(), random_);
    contenders_.push_back(fill<VmMapTable>("vm_map", pages));
    contenders_.push_back(fill<StdTable>("std", pages));
    contenders_.push_back(fill<BoostFlatTable>("boost_flat", pages));
    // Four levels end at 36-bit page numbers, and a lone page costs 12 KiB: dense cases only.
    if (case_.starts_with("dense")) {
      contenders_.push_back(fill<RadixTable>("radix", pages));
    }
  }

  void run() {
    add(
        "insert", "ns", [](const Contender& c, const Pages&) { return c.insert_ns; }, 1);
    add("lookup_indep", "ns",
        [](const Contender& c, const Pages& wanted) { return c.independent_ns(wanted); });
    add("lookup_dep", "ns",
        [](const Contender& c, const Pages& wanted) { return c.dependent_ns(wanted); });
    add("lookup_2t", "ns", two_threads);
    add(
        "walk", "ms", [](const Contender& c, const Pages&) { return c.walk_ns() / 1e6; }, 3);
    add(
        "erase", "ns", [&](const Contender& c, const Pages&) { return c.erase_ns(shuffled_); }, 1);
  }

 private:
  using Measure = std::function<double(const Contender&, const Pages& wanted)>;

  static double two_threads(const Contender& contender, const Pages& wanted) {
    const auto from = Clock::now();
    std::thread other([&] { contender.independent_ns(wanted); });
    contender.independent_ns(wanted);
    other.join();
    return ns_since(from) / static_cast<double>(2 * wanted.size());
  }

  void add(std::string_view metric, std::string_view unit, const Measure& measure,
           int slices = kSlices) {
    std::vector<std::vector<double>> values(contenders_.size());
    std::vector<std::vector<double>> ratios(contenders_.size());
    for (int slice = 0; slice < slices; ++slice) {
      Pages wanted(std::min<std::size_t>(100'000, 4 * pages_.size()));
      for (std::uint64_t& page : wanted) page = pages_[random_() % pages_.size()];
      for (std::size_t i = 0; i < contenders_.size(); ++i) {
        values[i].push_back(measure(contenders_[i], wanted));
        ratios[i].push_back(values[0].back() / values[i].back());
      }
    }
    const double ours = median(values[0]);
    report_.add({.case_name = case_, .metric = metric, .value = ours, .unit = unit});
    for (std::size_t i = 1; i < contenders_.size(); ++i) {
      report_.add({case_, metric, ours, unit, contenders_[i].name, median(ratios[i])});
    }
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
  report.add({case_name, "lost", static_cast<double>(pages.size() - statistics.entries), "pages"});

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
