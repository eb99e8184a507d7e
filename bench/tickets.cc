// What tickets cost: of a mapping, whatever its size; of a segment's end, whatever the space; of a
// lookup; of a lone page's parked image.
//
//   space_1g, space_512g  tickets   of one mapping of 8 MiB in a space of that size
//                         set       one such mapping, away and back
//                         find      a page of one of many, at random
//                         end       a segment that holds as many; peer of the larger space: the
//                                   smaller
//                         lone      a parked image's ticket: made and taken back
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "bench/support/report.h"
#include "vm/space.h"
#include "vm/ticket_table.h"

namespace revenant::bench {
namespace {

using Clock = std::chrono::steady_clock;
using vm::Ticket;
using vm::TicketTable;

constexpr std::uint64_t kMappingBytes = 8 * vm::kMiB;
constexpr std::uint64_t kMappings = 60;  // as many as 1 GiB holds, with gaps
constexpr base::PageCount kStride = base::PageCount::holding(16 * vm::kMiB + base::kPageSize);

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

class Case {
 public:
  Case(const Report& report, std::string_view name, base::PageRun space)
      : report_(report), name_(name), space_(space) {
    if (!table_.open(space).ok()) std::exit(1);
  }

  // Returns what an end costs, to be compared with `smaller`, if there was one.
  double run(double smaller_end_us) {
    const int rounds = report_.smoke() ? 3 : 301;
    std::vector<double> set_ns, find_ns, end_us, lone_ns;
    for (int i = 0; i < rounds; ++i) {
      owner_ = table_.add_owner();
      const auto start = Clock::now();
      for (std::uint64_t each = 0; each < kMappings; ++each) map(each);
      set_ns.push_back(ns_since(start) / kMappings);
      if (i == 0) tickets_ = static_cast<double>(table_.count_of(owner_)) / kMappings;
      find_ns.push_back(find());
      const auto end = Clock::now();
      table_.end(owner_, TicketTable::keep_nothing);
      end_us.push_back(ns_since(end) / 1e3);
      lone_ns.push_back(lone());
    }
    report_.add({name_, "tickets", tickets_, "tickets/mapping"});
    report_.add({name_, "set", median(set_ns), "ns"});
    report_.add({name_, "find", median(find_ns), "ns"});
    report_.add({name_, "lone", median(lone_ns), "ns"});
    const double end = median(end_us);
    report_.add({name_, "end", end, "us"});
    if (smaller_end_us != 0) {
      report_.add({name_, "end", end, "us", "space_1g", end / smaller_end_us});
    }
    return end;
  }

 private:
  // Apart from each other, on no chunk's bounds.
  [[nodiscard]] base::PageRun mapping(std::uint64_t number) const {
    return {space_.first + base::PageCount{1 + number * kStride.value},
            base::PageCount::holding(kMappingBytes)};
  }
  void map(std::uint64_t number) {
    const base::PageRun run = mapping(number);
    table_.set(owner_, run, Ticket::host_file(run.first, number << 32), TicketTable::keep_nothing);
  }
  double find() {
    constexpr int kLooks = 20'000;
    std::uint64_t sum = 0;
    const auto start = Clock::now();
    for (int i = 0; i < kLooks; ++i) {
      const std::uint64_t drawn = random_();
      const base::PageRun run = mapping(drawn % kMappings);
      const base::PageNumber page = run.first + base::PageCount{(drawn >> 32) % run.count.value};
      sum += table_.find(page)->origin;
    }
    const double ns = ns_since(start) / kLooks;
    asm volatile("" : : "r"(sum));
    return ns;
  }
  double lone() {
    constexpr std::uint64_t kPages = 2'000;
    const vm::TicketOwner owner = table_.add_owner();
    std::vector<vm::TicketReference> made;
    made.reserve(kPages);
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < kPages; ++i) {
      const base::PageNumber page = space_.first + base::PageCount{i * 97};
      made.push_back(table_.make_lone(owner, page, Ticket::parked(page, i)));
    }
    for (const vm::TicketReference& each : made) (void)table_.take_lone(each);
    const double ns = ns_since(start) / kPages;
    table_.end(owner, TicketTable::keep_nothing);
    return ns;
  }

  const Report& report_;
  const std::string_view name_;
  const base::PageRun space_;
  TicketTable table_;
  vm::TicketOwner owner_;
  std::mt19937_64 random_{1};
  double tickets_ = 0;
};

}  // namespace
}  // namespace revenant::bench

int main(int argc, char** argv) {
  using namespace revenant;
  const bench::Report report("tickets", argc, argv);
  struct {
    const char* name;
    std::uint64_t bytes;
  } const spaces[] = {{"space_1g", vm::kGiB}, {"space_512g", vm::kSpaceSize}};
  double smaller_end_us = 0;
  for (const auto& space : spaces) {
    if (!report.wants(space.name)) continue;
    auto each = std::make_unique<bench::Case>(report, space.name, vm::space_run(0, space.bytes));
    smaller_end_us = each->run(smaller_end_us);
  }
  return 0;
}
