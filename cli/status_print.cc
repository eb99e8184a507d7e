#include "cli/status_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <optional>

#include "base/duration.h"
#include "cli/revision.h"

namespace revenant::cli {
namespace {

using std::chrono::nanoseconds;
using vm::MemoryStatistics;

constexpr double kSecondNs = 1e9;

struct Named {
  const char* name;
  std::uint64_t MemoryStatistics::*figure;
};

constexpr std::array<Named, 6> kFaultKinds{{{"zero", &MemoryStatistics::zero_faults},
                                            {"stored", &MemoryStatistics::stored_faults},
                                            {"parked", &MemoryStatistics::parked_faults},
                                            {"standby", &MemoryStatistics::standby_faults},
                                            {"modified", &MemoryStatistics::modified_faults},
                                            {"file", &MemoryStatistics::file_faults}}};

constexpr std::array<Named, 5> kLists{{{"active", &MemoryStatistics::active_pages},
                                       {"modified", &MemoryStatistics::modified_pages},
                                       {"standby", &MemoryStatistics::standby_pages},
                                       {"free", &MemoryStatistics::free_pages},
                                       {"parked", &MemoryStatistics::parked_pages}}};

// What `sample` has more than `before`, or had since its start, a second.
class Rates {
 public:
  Rates(const Sample& sample, const Sample* before)
      : memory_(sample.memory), before_(before == nullptr ? MemoryStatistics{} : before->memory) {
    const std::int64_t since_ns =
        before == nullptr ? sample.header.started_monotonic_ns : before->monotonic_ns;
    seconds_ =
        static_cast<double>(std::max<std::int64_t>(sample.monotonic_ns - since_ns, 1)) / kSecondNs;
  }

  [[nodiscard]] double seconds() const { return seconds_; }
  [[nodiscard]] std::uint64_t more(std::uint64_t MemoryStatistics::*figure) const {
    return memory_.*figure - before_.*figure;
  }
  [[nodiscard]] double rate(std::uint64_t MemoryStatistics::*figure) const {
    return static_cast<double>(more(figure)) / seconds_;
  }
  // Of the pages that had been moved out and were wanted again, those that were still in memory.
  [[nodiscard]] std::optional<double> hit_rate() const {
    if (memory_.budget_bytes == 0) return std::nullopt;  // nothing is moved out
    const std::uint64_t hits =
        more(&MemoryStatistics::standby_faults) + more(&MemoryStatistics::modified_faults);
    const std::uint64_t all =
        hits + more(&MemoryStatistics::stored_faults) + more(&MemoryStatistics::parked_faults);
    if (all == 0) return std::nullopt;
    return static_cast<double>(hits) / static_cast<double>(all);
  }

 private:
  const MemoryStatistics& memory_;
  const MemoryStatistics before_;
  double seconds_;
};

std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> times_us) {
  std::ranges::sort(times_us);
  return times_us;
}

// `part` of the times, of which there are some, are at most this.
std::uint32_t percentile(const std::vector<std::uint32_t>& sorted_us, std::size_t percent) {
  return sorted_us[(sorted_us.size() * percent + 99) / 100 - 1];
}

std::string text_of(const auto& characters) {
  return std::string(std::data(characters),
                     ::strnlen(std::data(characters), std::size(characters)));
}

std::string duration_of_us(std::uint32_t us) {
  return base::format_duration(std::chrono::microseconds(us));
}

std::string age_of(std::int64_t wall_ns, const Sample& sample) {
  return base::format_duration(nanoseconds(std::max<std::int64_t>(sample.wall_ns - wall_ns, 0)));
}

Json times_json(const std::vector<std::uint32_t>& sorted_us) {
  if (sorted_us.empty()) return nullptr;
  return {{"p50", percentile(sorted_us, 50)}, {"p99", percentile(sorted_us, 99)}};
}

Json snapshots_json(const Sample& sample) {
  Json json = {{"committed", sample.committed}, {"failed", sample.failed}};
  json["every_ms"] = sample.header.snapshot_every_ns / 1'000'000;
  json["revision"] = sample.last.revision;
  if (sample.last.revision != 0) {
    json["age_ms"] = (sample.wall_ns - sample.last.wall_ns) / 1'000'000;
    json["pages_written"] = sample.last.pages;
  }
  json["pause_us"] = times_json(sample.pauses_us);
  json["commit_us"] = times_json(sample.commits_us);
  json["error"] = sample.failing ? Json(text_of(sample.last_failure.sentence)) : Json(nullptr);
  return json;
}

Json memory_json(const MemoryStatistics& memory) {
  Json json;
  using Figures = boost::describe::describe_members<MemoryStatistics, boost::describe::mod_public>;
  boost::mp11::mp_for_each<Figures>(
      [&](auto figure) { json[figure.name] = memory.*figure.pointer; });
  return json;
}

void print_heading(const Context& context, const Sample& sample) {
  const MemoryStatistics& memory = sample.memory;
  const nanoseconds running(sample.monotonic_ns - sample.header.started_monotonic_ns);
  fmt::print("{}, process {}, {}: start {}, {} ago; tracker {}\n",
             painted(printable(text_of(sample.header.program)), Paint::kBold, context.color),
             sample.process, sample.state.activity, sample.header.generation,
             base::format_duration(running), text_of(sample.header.tracker));
  fmt::print("memory     {} resident, {}\n", human_bytes(sample.state.resident_bytes),
             memory.budget_bytes == 0 ? "no budget" : "budget " + human_bytes(memory.budget_bytes));
}

void print_snapshots(const Context& context, const Sample& sample) {
  if (sample.last.revision == 0) {
    fmt::print("snapshots  none since this start\n");
  } else {
    fmt::print("snapshots  {}, the last is revision {}, {} ago, {}\n",
               human_count(sample.committed), sample.last.revision,
               age_of(sample.last.wall_ns, sample), counted(sample.last.pages, "page"));
    fmt::print("           pause {} (p99 {}), commit {} (p99 {})\n",
               duration_of_us(percentile(sample.pauses_us, 50)),
               duration_of_us(percentile(sample.pauses_us, 99)),
               duration_of_us(percentile(sample.commits_us, 50)),
               duration_of_us(percentile(sample.commits_us, 99)));
  }
  if (sample.failing) {
    const std::string sentence =
        fmt::format("failing, last {} ago: {}", age_of(sample.last_failure.wall_ns, sample),
                    printable(text_of(sample.last_failure.sentence)));
    fmt::print("           {}\n", painted(sentence, Paint::kRed, context.color));
  }
}

void print_faults(const Context& context, const Sample& sample, const Rates& rates) {
  Table table({{"FAULTS"}, {"COUNT", Align::kRight}, {"PER SECOND", Align::kRight}});
  for (const Named& kind : kFaultKinds) {
    table.add({kind.name, human_count(sample.memory.*kind.figure),
               fmt::format("{:.1f}", rates.rate(kind.figure))});
  }
  table.print(context.color);
  const MemoryStatistics& memory = sample.memory;
  fmt::print("filled {}, {} of them ahead; {} by signal\n",
             counted(memory.zero_pages + memory.stored_pages + memory.file_pages, "page"),
             human_count(memory.ahead_pages), counted(memory.refused_writes, "first write"));
}

void print_paging(const Context& context, const Sample& sample, const Rates& rates) {
  const MemoryStatistics& memory = sample.memory;
  if (memory.budget_bytes == 0) return;
  Table table({{"LIST"}, {"PAGES", Align::kRight}, {"BYTES", Align::kRight}});
  for (const Named& list : kLists) {
    table.add({list.name, human_count(memory.*list.figure),
               human_bytes(memory.*list.figure * base::kPageSize)});
  }
  table.print(context.color);
  fmt::print("moved out {}: {} given up at once, {} written, {} dropped from standby\n",
             counted(memory.trimmed_pages, "page"), human_count(memory.trimmed_clean_pages),
             human_count(memory.written_pages), human_count(memory.dropped_pages));
  fmt::print("{} for a frame, {}; {} beyond the budget\n", counted(memory.frame_waits, "wait"),
             base::format_duration(nanoseconds(memory.frame_wait_ns)),
             counted(memory.excess_frames, "frame"));
  if (const auto hits = rates.hit_rate()) {
    fmt::print("{:.1f} % of the pages wanted again were still in memory\n", *hits * 100);
  }
}

void print_locks(const Context& context, const Sample& sample) {
  Table table({{"LOCK"},
               {"CONTENDED", Align::kRight},
               {"SLEPT", Align::kRight},
               {"ASLEEP", Align::kRight}});
  bool any = false;
  for (std::size_t rank = 0; rank < base::kLockRanks; ++rank) {
    const base::LockWaits& waits = sample.locks[rank];
    if (waits.contended == 0) continue;
    any = true;
    table.add({base::to_string(static_cast<base::LockRank>(rank)), human_count(waits.contended),
               human_count(waits.slept), base::format_duration(nanoseconds(waits.slept_ns))});
  }
  if (any) {
    table.print(context.color);
  } else {
    fmt::print("no thread has waited for a lock\n");
  }
}

}  // namespace

Sample take_sample(const LiveProgram& program) {
  const runtime::LiveStatistics& figures = program.figures();
  const runtime::SnapshotCounters& snapshots = figures.snapshots;
  Sample sample{.process = program.process(),
                .state = program.state(),
                .header = figures.header,
                .monotonic_ns = std::chrono::steady_clock::now().time_since_epoch().count(),
                .wall_ns = wall_now_ns(),
                .memory = figures.memory.read(),
                .locks = {},
                .committed = snapshots.committed.load(std::memory_order_relaxed),
                .failed = snapshots.failed.load(std::memory_order_relaxed),
                .failing = snapshots.failed_since.load(std::memory_order_relaxed) != 0,
                .last = snapshots.last.read(),
                .last_failure = snapshots.last_failure.read(),
                .pauses_us = sorted(snapshots.pauses_us.since(0)),
                .commits_us = sorted(snapshots.commits_us.since(0))};
  for (std::size_t rank = 0; rank < base::kLockRanks; ++rank) {
    sample.locks[rank] = figures.locks.read(static_cast<base::LockRank>(rank));
  }
  return sample;
}

Json status_json(const std::filesystem::path& store, const Sample& sample, const Sample* before) {
  const Rates rates(sample, before);
  Json json = {{"store", store.string()},
               {"running", true},
               {"program", text_of(sample.header.program)},
               {"process", sample.process},
               {"state", sample.state.activity},
               {"generation", sample.header.generation},
               {"started", utc_time(sample.header.started_wall_ns)},
               {"tracker", text_of(sample.header.tracker)},
               {"resident_bytes", sample.state.resident_bytes},
               {"memory", memory_json(sample.memory)}};
  Json& per_second = json["per_second"] = {{"interval_ms", rates.seconds() * 1000}};
  for (const Named& kind : kFaultKinds)
    per_second[std::string(kind.name) + "_faults"] = rates.rate(kind.figure);
  const auto hits = rates.hit_rate();
  json["hit_rate"] = hits ? Json(*hits) : Json(nullptr);
  json["snapshots"] = snapshots_json(sample);
  Json& locks = json["locks"];
  for (std::size_t rank = 0; rank < base::kLockRanks; ++rank) {
    const base::LockWaits& waits = sample.locks[rank];
    locks[base::to_string(static_cast<base::LockRank>(rank))] = {
        {"contended", waits.contended}, {"slept", waits.slept}, {"slept_ns", waits.slept_ns}};
  }
  return json;
}

void print_status(const Context& context, const Sample& sample, const Sample* before) {
  const Rates rates(sample, before);
  print_heading(context, sample);
  print_snapshots(context, sample);
  print_faults(context, sample, rates);
  print_paging(context, sample, rates);
  print_locks(context, sample);
}

}  // namespace revenant::cli
