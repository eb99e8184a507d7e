// What the page table's choices were made by: each case measures one of them, the house's way and
// the others, on the same pages.
//
//   cluster_*   pages of a block: lookup_indep_N, lookup_dep_N, bytes_per_entry_N
//   hash_*      searched_HASH: blocks that a look-up goes through, mean; longest_HASH
//   locks_tN    N threads look up (lookup_WAY) or change (update_WAY) random pages
//   size_N      N pages: lookup_dep_PATTERN, the whole table's
//   space_*     MB of table for 4 GiB of pages
//   range_N     "was any of these N pages modified", where one page in a thousand was
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/lock.h"
#include "bench/support/clustered_table.h"
#include "bench/support/report.h"
#include "vm/vm_map.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Pages = std::vector<std::uint64_t>;

constexpr std::uint64_t kSpace = 0x560000000;
constexpr base::Epoch kEpoch{7};
constexpr int kSlices = 11;

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}
void use(std::uint64_t value) { asm volatile("" : : "r"(value)); }

vm::PageEntry entry_of(std::uint64_t page) {
  vm::PageEntry entry;
  entry.take<vm::touch>();
  entry.mark_clean({.low = page * 3, .high = ~page});
  return entry;
}

Pages pages_where(std::size_t count, const std::function<std::uint64_t(std::uint64_t)>& page) {
  Pages pages(count);
  for (std::size_t i = 0; i < count; ++i) pages[i] = page(i);
  return pages;
}
Pages dense(std::size_t count) {
  return pages_where(count, [](std::uint64_t i) { return kSpace + i; });
}
Pages scatter(std::size_t count) {
  std::mt19937_64 random(7);
  return pages_where(count, [&](std::uint64_t) { return random() >> 28; });
}

Pages draw(const Pages& pages, std::mt19937_64& random) {
  return pages_where(std::min<std::size_t>(100'000, 4 * pages.size()),
                     [&](std::uint64_t) { return pages[random() % pages.size()]; });
}

// Nanoseconds of a look-up whose page is known beforehand, or follows from the one before.
template <class Find>
double lookup_ns(const Pages& wanted, bool dependent, Find find) {
  const auto start = Clock::now();
  std::uint64_t last = 0;
  if (dependent) {
    for (const std::uint64_t page : wanted) last = find(page + last) >> 63;
  } else {
    for (const std::uint64_t page : wanted) last += find(page);
  }
  use(last);
  return ns_since(start) / static_cast<double>(wanted.size());
}

// The median of slices of both kinds of look-up.
template <class Find>
void report_lookups(const Report& report, std::string_view case_name, const std::string& suffix,
                    const Pages& pages, Find find) {
  std::mt19937_64 random(42);
  std::vector<double> independent;
  std::vector<double> dependent;
  for (int slice = 0; slice < kSlices; ++slice) {
    const Pages wanted = draw(pages, random);
    independent.push_back(lookup_ns(wanted, false, find));
    dependent.push_back(lookup_ns(wanted, true, find));
  }
  report.add({case_name, "lookup_indep_" + suffix, median(independent), "ns"});
  report.add({case_name, "lookup_dep_" + suffix, median(dependent), "ns"});
}

std::size_t blocks_of(const Pages& pages, unsigned shift) {
  std::set<std::uint64_t> tags;
  for (const std::uint64_t page : pages) tags.insert(page >> shift);
  return tags.size();
}

template <unsigned kShift, class Hash>
std::unique_ptr<ClusteredTable<kShift, Hash>> table_of(const Pages& pages) {
  auto table = std::make_unique<ClusteredTable<kShift, Hash>>(blocks_of(pages, kShift));
  for (const std::uint64_t page : pages) table->insert(page, entry_of(page));
  return table;
}

template <unsigned kShift>
void measure_cluster(const Report& report, std::string_view case_name, const Pages& pages) {
  const auto table = table_of<kShift, FibonacciHash>(pages);
  const std::string suffix = std::to_string(1u << kShift);
  report_lookups(report, case_name, suffix, pages,
                 [&](std::uint64_t page) { return table->find(page); });
  report.add({case_name, "bytes_per_entry_" + suffix,
              static_cast<double>(table->bytes()) / static_cast<double>(pages.size()), "bytes"});
}

void measure_clusters(const Report& report, std::string_view case_name, const Pages& pages) {
  measure_cluster<0>(report, case_name, pages);
  measure_cluster<2>(report, case_name, pages);
  measure_cluster<3>(report, case_name, pages);
  measure_cluster<4>(report, case_name, pages);
  measure_cluster<5>(report, case_name, pages);
  measure_cluster<6>(report, case_name, pages);
  measure_cluster<7>(report, case_name, pages);
}

// Blocks of one page, so that each page is hashed.
template <class Hash>
void measure_hash(const Report& report, std::string_view case_name, const std::string& name,
                  const Pages& pages) {
  const auto table = table_of<0, Hash>(pages);
  std::size_t sum = 0;
  std::size_t longest = 0;
  // A sample: a chain of a million would be walked a million times.
  std::mt19937_64 random(42);
  constexpr std::size_t kSample = 1000;
  for (std::size_t i = 0; i < kSample; ++i) {
    const std::size_t searched = table->searched(pages[random() % pages.size()]);
    sum += searched;
    longest = std::max(longest, searched);
  }
  report.add({case_name, "searched_" + name, static_cast<double>(sum) / kSample, "blocks"});
  report.add({case_name, "longest_" + name, static_cast<double>(longest), "blocks"});
}

void measure_hashes(const Report& report, std::string_view case_name, const Pages& pages) {
  measure_hash<FibonacciHash>(report, case_name, "fibonacci", pages);
  measure_hash<MurmurHash>(report, case_name, "murmur", pages);
  measure_hash<ModuloHash>(report, case_name, "modulo", pages);
}

class SpinLock {
 public:
  void lock() {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      while (taken_.load(std::memory_order_relaxed)) __builtin_ia32_pause();
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};
struct HouseLock : base::Lock {
  HouseLock() : base::Lock(base::LockRank::kVmMap) {}
};

// A table of blocks of 16 behind `kLocks` locks, chosen by the hash.
template <class Mutex, std::size_t kLocks>
struct LockedTable {
  explicit LockedTable(const Pages& pages) : table(table_of<4, FibonacciHash>(pages)) {}
  struct alignas(64) Padded {
    Mutex mutex;
  };
  Mutex& mutex_of(std::uint64_t page) {
    return locks[(FibonacciHash::of(page >> 4) >> 58) % kLocks].mutex;
  }
  std::unique_ptr<ClusteredTable<4, FibonacciHash>> table;
  std::array<Padded, kLocks> locks;
};

// Nanoseconds of wall time an operation, all threads' operations together.
template <class Operation>
double threads_ns(unsigned count, const Pages& pages, Operation operation) {
  std::vector<double> slices;
  for (int slice = 0; slice < kSlices; ++slice) {
    std::vector<Pages> wanted;
    for (unsigned i = 0; i < count; ++i) {
      std::mt19937_64 random(static_cast<std::uint64_t>(slice) * count + i);
      wanted.push_back(draw(pages, random));
    }
    const auto start = Clock::now();
    std::vector<std::thread> threads;
    for (const Pages& own : wanted) {
      threads.emplace_back([&] {
        for (const std::uint64_t page : own) operation(page);
      });
    }
    for (std::thread& thread : threads) thread.join();
    slices.push_back(ns_since(start) / static_cast<double>(count * wanted[0].size()));
  }
  return median(slices);
}

template <class Mutex, std::size_t kLocks, class Guard>
void measure_lock(const Report& report, std::string_view case_name, const std::string& name,
                  unsigned count, const Pages& pages) {
  LockedTable<Mutex, kLocks> locked(pages);
  const double lookup = threads_ns(count, pages, [&](std::uint64_t page) {
    const Guard guard(locked.mutex_of(page));
    use(locked.table->find(page));
  });
  const double update = threads_ns(count, pages, [&](std::uint64_t page) {
    const std::lock_guard guard(locked.mutex_of(page));
    locked.table->insert(page, entry_of(page));
  });
  report.add({case_name, "lookup_" + name, lookup, "ns"});
  report.add({case_name, "update_" + name, update, "ns"});
}

std::unique_ptr<vm::VmMap> map_of(const Pages& pages) {
  auto map = std::make_unique<vm::VmMap>();
  REVENANT_CHECK(map->open().ok());
  for (const std::uint64_t page : pages) map->insert({page}, entry_of(page));
  return map;
}

void measure_locks(const Report& report, std::string_view case_name, unsigned count,
                   const Pages& pages) {
  const auto map = map_of(pages);
  report.add(
      {case_name, "lookup_vm_map",
       threads_ns(count, pages, [&](std::uint64_t page) { use(map->find({page})->words()[0]); }),
       "ns"});
  report.add({case_name, "update_vm_map",
              threads_ns(count, pages,
                         [&](std::uint64_t page) {
                           map->update({page},
                                       [&](vm::PageEntry& entry) { entry = entry_of(page); });
                         }),
              "ns"});
  using Shared = std::shared_mutex;
  measure_lock<SpinLock, 64, std::lock_guard<SpinLock>>(report, case_name, "spin_64", count, pages);
  measure_lock<HouseLock, 64, std::lock_guard<HouseLock>>(report, case_name, "mutex_64", count,
                                                          pages);
  measure_lock<SpinLock, 1, std::lock_guard<SpinLock>>(report, case_name, "spin_1", count, pages);
  measure_lock<HouseLock, 1, std::lock_guard<HouseLock>>(report, case_name, "mutex_1", count,
                                                         pages);
  measure_lock<Shared, 1, std::shared_lock<Shared>>(report, case_name, "shared_1", count, pages);
}

void measure_size(const Report& report, std::string_view case_name, std::size_t count) {
  for (const auto& [name, pages] :
       {std::pair("dense", dense(count)), std::pair("scatter", scatter(count))}) {
    const auto map = map_of(pages);
    report_lookups(report, case_name, name, pages, [&](std::uint64_t page) {
      const auto entry = map->find({page});
      return entry ? entry->words()[0] ^ entry->words()[2] : 0;
    });
  }
}

void measure_space(const Report& report, std::string_view case_name, const Pages& pages) {
  const vm::VmMapStatistics statistics = map_of(pages)->statistics();
  constexpr double kPagesOf4GiB = 1 << 20;
  report.add({case_name, "table",
              static_cast<double>(statistics.bytes) / static_cast<double>(statistics.entries) *
                  kPagesOf4GiB / 1e6,
              "MB"});
}

// Three ways to ask whether any page of a range was modified: look each one up; walk over all that
// were; a tree of those that were.
class RangeQuery {
 public:
  explicit RangeQuery(const Pages& pages) : pages_(pages), map_(map_of(pages)) {
    for (std::size_t i = 500; i < pages.size(); i += 1000) {
      map_->update({pages[i]}, [](vm::PageEntry& entry) { entry.mark_dirty(kEpoch); });
      tree_.insert(pages[i]);
    }
  }

  void measure(const Report& report, std::size_t count) const {
    const std::string case_name = "range_" + std::to_string(count);
    if (!report.wants(case_name) || count > pages_.size()) return;
    const auto add = [&](std::string_view metric, auto ask) {
      report.add({case_name, metric, query_us(count, ask), "us"});
    };
    add("look_each_up", [&](std::uint64_t first, std::uint64_t last) {
      for (std::uint64_t page = first; page <= last; ++page) {
        if (map_->find({page})->dirty()) return true;
      }
      return false;
    });
    add("walk_dirty", [&](std::uint64_t first, std::uint64_t last) {
      bool found = false;
      map_->for_each_dirty([&](base::PageNumber page, const vm::PageEntry&) {
        found |= page.value >= first && page.value <= last;
      });
      return found;
    });
    add("tree", [&](std::uint64_t first, std::uint64_t last) {
      const auto found = tree_.lower_bound(first);
      return found != tree_.end() && *found <= last;
    });
  }

 private:
  template <class Ask>
  double query_us(std::size_t count, Ask ask) const {
    std::mt19937_64 random(42);
    std::vector<double> times;
    for (int i = 0; i < 101; ++i) {
      const std::uint64_t first = pages_[random() % (pages_.size() - count + 1)];
      const auto start = Clock::now();
      use(ask(first, first + count - 1));
      times.push_back(ns_since(start) / 1e3);
    }
    return median(times);
  }

  const Pages& pages_;
  std::unique_ptr<vm::VmMap> map_;
  std::set<std::uint64_t> tree_;
};

void run(const Report& report) {
  const std::size_t million = report.smoke() ? 2000 : 1'000'000;
  const auto with = [&](std::string_view name, const Pages& pages, auto measure) {
    if (report.wants(name)) measure(report, name, pages);
  };
  const auto half = pages_where(million, [](std::uint64_t i) { return kSpace + 2 * i; });
  const auto runs_of_8 =
      pages_where(million, [](std::uint64_t i) { return kSpace + i / 8 * 1000 + i % 8; });
  with("cluster_dense", dense(million), measure_clusters);
  with("cluster_runs", runs_of_8, measure_clusters);
  const auto aligned =
      pages_where(million, [](std::uint64_t i) { return (kSpace + i) * base::kPageSize; });
  const auto strided = pages_where(million, [](std::uint64_t i) { return kSpace + i * 987; });
  with("hash_dense", dense(million), measure_hashes);
  with("hash_aligned", aligned, measure_hashes);
  with("hash_strided", strided, measure_hashes);
  with("hash_scatter", scatter(million), measure_hashes);
  for (const unsigned count : {1, 2, 4}) {
    const std::string name = "locks_t" + std::to_string(count);
    if (report.wants(name)) measure_locks(report, name, count, dense(million));
  }
  for (std::size_t count = 1024; count <= 4 * million; count *= 4) {
    const std::string name = "size_" + std::to_string(count);
    if (report.wants(name)) measure_size(report, name, count);
  }
  with("space_dense", dense(million), measure_space);
  with("space_half", half, measure_space);
  with("space_runs_of_8", runs_of_8, measure_space);
  with("space_scatter", scatter(million), measure_space);
  const Pages pages = dense(million);
  const RangeQuery query(pages);
  for (std::size_t count = 1; count <= million; count *= 8) query.measure(report, count);
}

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  const revenant::bench::Report report("vm_map_choices", argc, argv);
  revenant::bench::run(report);
  return 0;
}
